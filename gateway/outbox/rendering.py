"""Readings on their way to a Bundle: rendered once per version, and never again."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID
from zlib import compress

from drivers.api import Reading
from gateway.outbox import versions
from gateway.outbox.database import Database, Row
from gateway.outbox.frozen import thaw
from gateway.outbox.moments import from_us, maybe, to_us


@dataclass(frozen=True, slots=True)
class Unrendered:
    """A reading that waits for its Bundle."""

    row: int
    device: int
    session: int
    binding: int
    public_id: str
    version: int
    reading: Reading
    effective: datetime | None
    issued: datetime | None  # None: no clock of ours was right when it came
    attempts: int
    segment: int | None  # of the meter's clock, on which its stamp lies
    shares_stamp: bool  # another reading of the meter bears the same, or is of the same moment
    former: tuple[Reading, ...] = ()  # what earlier versions said
    withdrawn: bool = False

    @property
    def uuid(self) -> UUID:
        return UUID(self.public_id)


_TO_RENDER = (
    "SELECT id, device_id, session_id, binding_id, public_id, version, reading, effective_at,"
    " issued_at, issued_known, segment_id, taken_at, former, withdrawn_at, attempts FROM readings"
    " WHERE state = 'pending' AND seq IS NULL"
)


def to_render(db: Database, limit: int, cleared: Collection[int] = ()) -> list[Unrendered]:
    """Pending readings without a Bundle, oldest first, counted as being handled.

    One that was in hand at an earlier death of the program waits until it is among the *cleared*,
    and comes alone.
    """
    rows = db.execute(
        f"{_TO_RENDER} AND (attempts = 0 OR id IN (SELECT value FROM json_each(?)))"
        " ORDER BY id LIMIT ?",
        json.dumps(list(cleared)),
        limit,
    ).fetchall()
    again = [row for row in rows if row[-1]]
    if again:
        rows = again[:1]
    if rows:
        with db.transaction(durable=False):
            for row in rows:
                db.execute("UPDATE readings SET attempts = attempts + 1 WHERE id = ?", row[0])
    return [_unrendered(db, row) for row in rows]


def suspects(db: Database) -> list[Unrendered]:
    """Readings that were in hand when the program died."""
    rows = db.execute(f"{_TO_RENDER} AND attempts > 0 ORDER BY id").fetchall()
    return [_unrendered(db, row) for row in rows]


def any_to_render(db: Database) -> bool:
    """Whether there is work for `to_render`, now or once suspects are cleared."""
    return db.one("SELECT 1 FROM readings WHERE state = 'pending' AND seq IS NULL") is not None


def _unrendered(db: Database, columns: Row) -> Unrendered:
    row, device, session, binding, public_id, version, sealed, effective, *rest = columns
    issued, known, segment, taken, former, withdrawn, tries = rest
    return Unrendered(
        row,
        device,
        session,
        binding,
        public_id,
        version,
        thaw(db.open("readings", row, "reading", sealed)),
        maybe(effective),
        from_us(issued) if known else None,
        tries,
        segment,
        _has_twin(db, device, row, "taken_at", taken)
        or _has_twin(db, device, row, "effective_at", effective),
        versions.former(db, row, former),
        withdrawn is not None,
    )


def _has_twin(db: Database, device: int, row: int, column: str, value: object) -> bool:
    """Whether another reading of the meter has the same there."""
    sql = f"SELECT 1 FROM readings WHERE device_id = ? AND {column} = ? AND id <> ? LIMIT 1"
    return db.one(sql, device, value, row) is not None


def rendered(db: Database, bundles: Sequence[tuple[int, bytes, bool]], now: datetime) -> None:
    """Store Bundles (row, body, late) for sending; each gets the next `seq`. Never rebuilt."""
    with db.transaction():
        first = int(db.meta("next_seq"))
        there = [each for each in bundles if db.one("SELECT 1 FROM readings WHERE id = ?", each[0])]
        for seq, (row, body, late) in enumerate(there, start=first):
            sealed = db.seal("bodies", row, "body", compress(body))  # to a fifth: the disk wears
            db.execute("INSERT INTO bodies (reading_id, body) VALUES (?, ?)", row, sealed)
            db.execute(
                "UPDATE readings SET seq = ?, sha256 = ?, late = ?, due_at = ?, attempts = 0"
                " WHERE id = ?",
                seq,
                sha256(body).hexdigest(),
                int(late),
                to_us(now),
                row,
            )
            db.note(to_us(now), "rendered", None, row, str(seq))
        db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", first + len(there))


def park(db: Database, row: int, reason: str, now: datetime) -> None:
    """A human must look at this reading; it is kept."""
    with db.transaction():
        db.execute("UPDATE readings SET state = 'parked', reason = ? WHERE id = ?", reason, row)
        db.note(to_us(now), "parked", None, row, reason)
