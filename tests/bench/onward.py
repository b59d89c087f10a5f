"""What a look for the next reading of a party costs while very many wait."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from backend.store import Database, open_database, parties
from backend.store.database import rows_of
from backend.store.due import Due
from backend.store.moments import text
from tests.backend.postgres import binaries, server
from tests.bench.rows import Row, series

WAITING = 100_000
PARTY = "party"
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
GRACE = timedelta(seconds=60)
LOOKS = 20
SAME = (1, "", b"{}", "", "org1", "e1", 0, 1)


async def look() -> Sequence[Row]:
    """Of a SQLite and a PostgreSQL nobody has made statistics of; of one gateway and of many."""
    rows: list[Row] = []
    for gateways in (1, 1000):
        for name, database in _databases():
            _fill(database, gateways)
            parties.share(database, [PARTY], 0, NOW)
            what = f"look for what is due, {name}, {WAITING} of {gateways} gateways wait"
            rows.append(series(what, "ms", _looks(database)))
            with database.writing():  # the head of each gateway has to be tried again
                later = text(NOW + timedelta(hours=1))
                database.execute("UPDATE onward_to SET due_at = ? WHERE seq = 1", later)
            rows.append(series(f"{what}, each held back", "ms", _looks(database)))
    return rows


def _databases() -> Iterator[tuple[str, Database]]:
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder) / "store.db") as database:
        yield "SQLite", database
    if binaries() is not None:
        with server() as running, _opened(running.database()) as database:
            yield "PostgreSQL", database


@contextmanager
def _opened(address: str | Path) -> Iterator[Database]:
    with closing(open_database(address)) as database:
        database.leads()
        yield database


def _looks(database: Database) -> list[float]:
    """In milliseconds, as a receiver does it: one after the other, with the same list in hand."""
    due = Due(PARTY, GRACE)
    found = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        due.next(database, NOW + timedelta(minutes=5))
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _fill(database: Database, gateways: int) -> None:
    at = text(NOW)
    with database.writing():
        for gateway in range(gateways):
            database.execute(
                "INSERT INTO stream (organisation, gateway, epoch, highest, first_at, last_at)"
                " VALUES ('org1', ?, 'e1', ?, ?, ?)",
                *(f"gw-{gateway}", WAITING // gateways, at, at),
            )
        for first in range(0, WAITING, 1000):
            rows = [
                (str(UUID(int=n)), f"gw-{n % gateways}", n // gateways + 1, at, *SAME)
                for n in range(first, first + 1000)
            ]
            database.execute(
                "INSERT INTO reading (id, gateway, seq, first_at,"  # noqa: S608 -- marks alone
                " version, sha256, body, contents, organisation, epoch, late, deliveries)"
                f" VALUES {rows_of(rows)}",
                *(value for row in rows for value in row),
            )
        database.execute(
            "INSERT INTO onward (reading, stream, seq, state, queued_at, due_at, attempts)"
            " SELECT r.number, s.number, r.seq, 'waiting', ?, ?, 0"
            " FROM reading r JOIN stream s ON s.gateway = r.gateway ORDER BY r.number",
            *(at, at),
        )
