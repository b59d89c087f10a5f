"""Looking at a store, beside a receiver that runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from backend.store.database import Database, Row
from backend.store.moments import moment
from backend.store.shapes import StoredReading

MOST_GAPS = 100  # more nobody reads

_READINGS = (
    "SELECT id, version, sha256, body, gateway, epoch, seq, late, first_at, deliveries"
    " FROM reading WHERE copy_of IS NULL AND contents NOT LIKE 'device %' ORDER BY number"
)


@dataclass(frozen=True, slots=True)
class Missing:
    """Numbers of a gateway that have not come. `state`: open, or why they will not."""

    gateway: str
    epoch: str
    first: int
    last: int
    since: datetime
    state: str
    reason: str | None
    asked: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a human should know of a gateway."""

    gateway: str
    what: str
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Overview:
    readings: int  # versions of readings, each once
    copies: int
    repeats: int  # deliveries of what was held already
    last_at: datetime | None
    gateways: int  # that sent anything
    offline: int  # of those that said whether they are there
    waiting: int  # to be handed on
    waiting_since: datetime | None
    delivered: int
    undeliverable: int
    dead_letters: int
    unanswered: int  # commands
    missing_gaps: int
    missing_numbers: int  # in those that are open
    missing: tuple[Missing, ...]  # the first MOST_GAPS of them
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A reading that is held here, and that nobody behind the receiver will take."""

    id: UUID
    version: int
    gateway: str
    at: datetime
    reason: str | None


def readings(path: Path) -> Iterator[StoredReading]:
    """Everything held in that SQLite file, in the order of arrival; copies left out."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        for row in database.execute(_READINGS):
            yield _reading(row)


def readings_of(db: Database) -> list[StoredReading]:
    """The same of any database."""
    return [_reading(row) for row in db.execute(_READINGS)]


def _reading(row: Row) -> StoredReading:
    name, version, sha256, body, gateway, epoch, seq, late, first_at, deliveries = row
    return StoredReading(
        *(UUID(name), version, sha256, bytes(body), gateway, epoch, seq, bool(late)),
        *(moment(first_at), deliveries),
    )


def overview(db: Database) -> Overview:
    ((held, copies, repeats, last_at),) = db.execute(
        "SELECT count(*) - count(copy_of), count(copy_of), coalesce(sum(deliveries - 1), 0),"
        " max(first_at) FROM reading WHERE contents NOT LIKE 'device %'"
    )
    states: dict[str, int] = dict(db.execute("SELECT state, count(*) FROM onward GROUP BY state"))
    ((since,),) = db.execute("SELECT min(queued_at) FROM onward WHERE state = 'waiting'")
    # The factor: a sum of whole numbers may be too large for one.
    ((gaps, numbers),) = db.execute(
        "SELECT count(*), coalesce(sum(1.0 * (last - first + 1)"
        " * CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) FROM missing WHERE state <> 'void'"
    )
    return Overview(
        readings=held,
        copies=copies,
        repeats=int(repeats),
        last_at=_when(last_at),
        gateways=_count(db, "(SELECT DISTINCT gateway FROM stream) AS talked"),
        offline=_count(db, "gateway WHERE online = 0"),
        waiting=states.get("waiting", 0),
        waiting_since=_when(since),
        delivered=states.get("delivered", 0),
        undeliverable=states.get("undeliverable", 0),
        dead_letters=_count(db, "dead_letter"),
        unanswered=_count(db, "ask WHERE status IS NULL"),
        missing_gaps=gaps,
        missing_numbers=int(numbers),
        missing=tuple(missing(db)),
        notices=tuple(
            Notice(gateway, what, moment(last), times)
            for gateway, what, last, times in db.execute(
                "SELECT gateway, what, last_at, times FROM notice ORDER BY gateway, what"
            )
        ),
    )


def undeliverable(db: Database) -> list[Undeliverable]:
    rows = db.execute(
        "SELECT r.id, r.version, r.gateway, o.settled_at, o.reason"
        " FROM onward o JOIN reading r ON r.number = o.reading"
        " WHERE o.state = 'undeliverable' ORDER BY o.position"
    )
    return [
        Undeliverable(UUID(name), version, gateway, moment(at), reason)
        for name, version, gateway, at, reason in rows
    ]


def missing(db: Database, most: int = MOST_GAPS) -> list[Missing]:
    """The first of them; numbers that nothing stands behind are not missing."""
    rows = db.execute(
        "SELECT s.gateway, s.epoch, m.first, m.last, m.since, m.state, m.reason, m.asked"
        " FROM missing m JOIN stream s ON s.number = m.stream"
        " WHERE m.state <> 'void' ORDER BY s.gateway, m.stream, m.first LIMIT ?",
        most,
    )
    return [
        Missing(gateway, epoch, first, last, moment(since), state, reason, asked)
        for gateway, epoch, first, last, since, state, reason, asked in rows
    ]


def seen(db: Database) -> int:
    """Somebody has looked at what will not change: forget it. Returns how much it was."""
    with db.writing():
        notices = db.execute("DELETE FROM notice RETURNING 1")
        gaps = db.execute("DELETE FROM missing WHERE state <> 'open' RETURNING 1")
    return len(notices) + len(gaps)


def _count(db: Database, what: str) -> int:
    ((count,),) = db.execute(f"SELECT count(*) FROM {what}")
    return int(count)


def _when(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
