"""The journey of one reading: its steps with their times; no value, no person."""

from dataclasses import dataclass
from datetime import datetime

from gateway.outbox.database import Database, Row
from gateway.outbox.moments import from_us, maybe


class Unclear(Exception):
    """No one reading is meant; the text says why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One step: connected, heard, heard again, receipt, or a step of the journey (trail)."""

    at: datetime
    step: str
    detail: str


@dataclass(frozen=True, slots=True)
class Journey:
    """A reading, where it is now, and how it came there. `steps` in order of time."""

    row: int
    id: str | None  # None until its person is known
    version: int
    seq: int | None
    state: str
    reason: str | None
    purged: bool  # its contents, and what was noted on the way, are gone
    driver: str
    address: str
    measured: datetime | None  # None: that cannot be known
    steps: tuple[Mark, ...]


def journey(db: Database, name: int | str) -> Journey:
    """*name*: the row of a reading, or how its public id begins. Raises Unclear."""
    row = row_of(db, name)
    found = db.execute(
        "SELECT r.id, r.public_id, r.version, r.seq, r.state, r.reason, r.reading IS NULL,"
        " d.driver, d.address, r.effective_at, r.published_at, r.received_at"
        " FROM readings r JOIN devices d ON d.id = r.device_id WHERE r.id = ?",
        row,
    ).fetchone()
    row, public, version, seq, state, reason, purged, driver, address, measured, *rest = found
    published, received = rest
    marks = [*_heard(db, row), *_noted(db, row), *_receipts(db, row)]
    steps = {mark.step for mark in marks}
    for step, at in (("published", published), ("received", received)):
        if at is not None and step not in steps:  # the notes were purged with the contents
            marks.append(Mark(from_us(at), step, ""))
    marks.sort(key=lambda mark: mark.at)  # stable: what has one time stays in its order
    return Journey(
        row,
        public,
        version,
        seq,
        state,
        reason,
        bool(purged),
        driver,
        address,
        maybe(measured),
        tuple(marks),
    )


def row_of(db: Database, name: int | str) -> int:
    """*name*: as above. Raises Unclear."""
    if isinstance(name, int):
        if db.one("SELECT 1 FROM readings WHERE id = ?", name) is None:
            raise Unclear(f"there is no reading r{name}")
        return name
    rows = db.execute(
        "SELECT id FROM readings WHERE public_id >= ? AND public_id < ? LIMIT 2",
        name,
        name + "g",  # after every hex digit and the hyphen
    ).fetchall()
    if not rows:
        raise Unclear(f"no reading here has an id that begins with {name}")
    if len(rows) > 1:
        raise Unclear(f"several readings have an id that begins with {name}: give more of it")
    return int(rows[0][0])


def _heard(db: Database, row: int) -> list[Mark]:
    """The connections in which its frames came, and the frames."""
    rows = db.execute(
        "SELECT f.wall, f.trusted, f.state, f.session_id, s.started_at FROM frames f"
        " JOIN sessions s ON s.id = f.session_id WHERE f.reading_id = ? ORDER BY f.id",
        row,
    )
    marks, sessions = [], set()
    for wall, trusted, state, session, started in rows:
        if session not in sessions:
            sessions.add(session)
            marks.append(Mark(from_us(started), "connected", ""))
        step = "heard" if state == "decoded" else "heard again"
        marks.append(Mark(from_us(wall), step, "" if trusted else "untrusted"))
    return marks


def _noted(db: Database, row: int) -> list[Mark]:
    rows = db.execute("SELECT at, step, detail FROM journey WHERE reading_id = ? ORDER BY id", row)
    return [_mark(columns) for columns in rows]


def _receipts(db: Database, row: int) -> list[Mark]:
    rows = db.execute(
        "SELECT at, 'receipt', status || ' by ' || receiver FROM receipts WHERE reading_id = ?"
        " ORDER BY at",
        row,
    )
    return [_mark(columns) for columns in rows]


def _mark(columns: Row) -> Mark:
    at, step, detail = columns
    return Mark(from_us(at), step, detail or "")
