"""A damaged outbox: set aside as it is, and everything that can be read moved into a fresh one.

The fresh one is a new epoch: how far the numbers of the old one had come cannot be known for sure.
The secret behind the digests moves with the rows, so that a meter that sends its memory again is
still recognised.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path

from gateway.outbox import repair
from gateway.outbox.connection import connect
from gateway.outbox.database import PAGE_OCTETS, Database
from gateway.outbox.exchange import finish, fresh_file, remove
from gateway.outbox.migrations import migrations
from gateway.outbox.moments import to_us
from gateway.outbox.pages import Pages, pages
from gateway.outbox.shapes import Shape, shape_of, shapes
from gateway.outbox.sift import Sieve
from gateway.outbox.vault import KeyRefused, Vault

log = logging.getLogger(__name__)

BATCH = 500  # rows in one transaction: bounds the write-ahead log
COUNTER = "outbox salvaged"
WITHOUT_ROW_ID = ("receipts", "commands")


def salvage(path: Path, vault: Vault, now: datetime) -> None:
    """Put a sound outbox in the place of the one in *path*, which stays beside it.

    Raises KeyRefused when what is in it was sealed with another key.
    """
    building = path.with_name(path.name + ".building")
    remove(building)
    with pages(path, PAGE_OCTETS) as found:
        secret = _secret(found, vault)
        with closing(Database(connect(building), vault)) as db:
            _begin(db, secret, now)
        with closing(Database(connect(building), vault)) as db:
            count = _fill(db, found, Sieve(db, secret is None))
    _sync(building)
    building.replace(fresh_file(path))
    finish(path)
    log.error("%s: %d rows salvaged; the damaged file stays beside it", path, count)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _secret(found: Pages, vault: Vault) -> bytes | None:
    """The sealed secret, if it can still be read."""
    for values in found.entries():
        if len(values) == 2 and values[0] == "secret" and isinstance(values[1], bytes):
            if not vault.knows(values[1]):
                raise KeyRefused("meta: does not open with this key")
            try:
                vault.open("meta", 0, "secret", values[1])
            except KeyRefused:
                continue
            return values[1]
    return None


def _begin(db: Database, secret: bytes | None, now: datetime) -> None:
    with db.transaction():
        if secret is not None:
            db.execute("UPDATE meta SET value = ? WHERE key = 'secret'", secret)
        db.execute("INSERT INTO meta (key, value) VALUES ('salvaged_at', ?)", to_us(now))
        db.count(COUNTER)
        db.note(to_us(now), "salvaged", None, None)


def _fill(db: Database, found: Pages, sieve: Sieve) -> int:
    """Everything that can be read, made whole. Returns how many rows."""
    db.execute("PRAGMA foreign_keys = OFF")  # rows come in no order
    rows, count = _rows(found, sieve), 0
    while batch := list(islice(rows, BATCH)):
        with db.transaction():
            for table, values in batch:
                _insert(db, table, values)
        count += len(batch)
    if sieve.foreign and not sieve.opened:
        raise KeyRefused("rows: sealed with another key")
    with db.transaction():
        _high_water(db, found)
        repair.repair(db, sieve.broken)
    db.execute("PRAGMA foreign_keys = ON")
    return count


def _rows(found: Pages, sieve: Sieve) -> Iterator[tuple[str, Mapping[str, object]]]:
    known = shapes([script for _, script in migrations()])
    ordinary = [shape for shape in known if any(column.row_id for column in shape.columns)]
    others = [shape for shape in known if shape.table in WITHOUT_ROW_ID]
    for row, values in found.rows():
        shape = shape_of(ordinary, values)
        if shape is not None and (kept := sieve.row(shape.table, row, shape.named(values))):
            yield shape.table, {_row_id(shape): row, **kept}
    for values in found.entries():
        shape = shape_of(others, values)
        if shape is not None:
            yield shape.table, shape.named(values)


def _row_id(shape: Shape) -> str:
    return next(column.name for column in shape.columns if column.row_id)


def _insert(db: Database, table: str, values: Mapping[str, object]) -> None:
    """A row that breaks a rule of its table, or is there already, is no row of ours."""
    places = ", ".join("?" * len(values))
    db.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values()
    )


def _high_water(db: Database, found: Pages) -> None:
    """No row id that was given before is given again."""
    numbered = "SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'"
    tables = {name for (name,) in db.execute(numbered)}
    for _, values in found.rows():
        if len(values) == 2 and isinstance(values[0], str) and isinstance(values[1], int):
            if values[0] not in tables:
                continue
            known = db.one("SELECT seq FROM sqlite_sequence WHERE name = ?", values[0])
            if known is None:  # not one row of that table was found
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, 0)", values[0])
            if values[1] > (known or 0):
                db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", *reversed(values))
