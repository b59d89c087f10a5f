"""Connections, and what they tell of a meter's clock."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from gateway.model import ClockPair, Segment, Stamp
from gateway.outbox.database import Database
from gateway.outbox.devices import still_there
from gateway.outbox.moments import MICROSECOND, maybe, naive_text, stamp_columns, stamp_from, to_us

COMPLETE = "complete"  # the outcome of a session in which the meter told all that it had to tell


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """A meter's clock read or set, beside ours."""

    id: int
    session: int
    kind: str  # "read" or "set"
    device_clock: datetime | None  # None: it has no clock that can be read
    stamp: Stamp
    segment: int | None = None  # on which it lies; None: not placed yet
    corrected: datetime | None = None  # our clock, as it was known to be when it was placed


def begin(db: Database, device: int, now: datetime) -> int:
    """A connection stands. Returns the session's row. Raises Known if the meter was forgotten."""
    session = db.next_id("sessions")
    with db.transaction():
        still_there(db, device)
        db.execute(
            "INSERT INTO sessions (id, uuid, device_id, started_at) VALUES (?, ?, ?, ?)",
            session,
            str(uuid.uuid4()),
            device,
            to_us(now),
        )
    return session


def end(db: Database, session: int, outcome: str, now: datetime) -> None:
    with db.transaction():
        db.execute(
            "UPDATE sessions SET ended_at = ?, outcome = ? WHERE id = ?",
            to_us(now),
            outcome,
            session,
        )


def was_whole(db: Database, session: int) -> bool:
    """Whether the meter told all that it had to tell in it."""
    return bool(db.one("SELECT outcome FROM sessions WHERE id = ?", session) == COMPLETE)


def in_memory(db: Database, device: int, session: int) -> bool:
    """Whether what came in *session* may have been in the meter's memory when we first met.

    So it is until one session has ended well: an earlier one may have been cut short.
    """
    first = db.one(
        "SELECT min(id) FROM sessions WHERE device_id = ? AND outcome = ?", device, COMPLETE
    )
    return first is None or session <= int(first)


def end_all(db: Database, now: datetime) -> None:
    """At start: no session outlives the process."""
    if db.one("SELECT 1 FROM sessions WHERE ended_at IS NULL"):
        with db.transaction():
            db.execute(
                "UPDATE sessions SET ended_at = ?, outcome = 'process ended'"
                " WHERE ended_at IS NULL",
                to_us(now),
            )


def clock_event(
    db: Database, session: int, kind: str, device_clock: datetime | None, stamp: Stamp
) -> None:
    text = None if device_clock is None else device_clock.isoformat()
    with db.transaction():
        db.execute(
            "INSERT INTO clock_events"
            " (session_id, kind, device_clock, wall, boottime, boot_id, trusted)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            session,
            kind,
            text,
            *stamp_columns(stamp),
        )


def unplaced(db: Database, device: int) -> list[ClockEvent]:
    """Clock events that no segment knows yet, oldest first."""
    rows = db.execute(
        "SELECT e.id, e.session_id, e.kind, e.device_clock, e.wall, e.boottime, e.boot_id,"
        " e.trusted FROM clock_events e INDEXED BY clock_events_unplaced"  # those few, not all
        " CROSS JOIN sessions s ON s.id = e.session_id"
        " WHERE s.device_id = ? AND e.segment_id IS NULL AND e.device_clock IS NOT NULL"
        " ORDER BY e.id",
        device,
    )
    return [
        ClockEvent(id_, session, kind, datetime.fromisoformat(text), stamp_from(*stamp))
        for id_, session, kind, text, *stamp in rows
    ]


def readable(db: Database, device: int) -> bool:
    """Whether this meter's clock was ever read."""
    return bool(
        db.one(
            "SELECT EXISTS (SELECT 1 FROM sessions s JOIN clock_events e ON e.session_id = s.id"
            " WHERE s.device_id = ? AND e.device_clock IS NOT NULL)",
            device,
        )
    )


def shown_around(db: Database, device: int, session: int) -> list[datetime]:
    """What a meter's clock showed in *session*, between its last look before and its next after
    for which we knew the time.
    """
    placed = (
        "SELECT e.id, e.device_clock FROM clock_events e JOIN sessions s ON s.id = e.session_id"
        " WHERE s.device_id = ? AND e.segment_id IS NOT NULL AND e.session_id"
    )
    rows = db.execute(
        "SELECT device_clock FROM ("
        f"SELECT * FROM ({placed} < ? ORDER BY e.id DESC LIMIT 1)"
        " UNION ALL SELECT id, device_clock FROM clock_events WHERE session_id = ?"
        f" UNION ALL SELECT * FROM ({placed} > ? ORDER BY e.id LIMIT 1)"
        ") WHERE device_clock IS NOT NULL ORDER BY id",
        *(device, session),
        session,
        *(device, session),
    )
    return [datetime.fromisoformat(text) for (text,) in rows]


def segments(db: Database, device: int) -> list[Segment]:
    """Oldest first; at most the last one is still running."""
    rows = db.execute(
        "SELECT id, offset_us, device_from, device_to, seen FROM segments WHERE device_id = ?"
        " ORDER BY id",
        device,
    )
    return [
        Segment(id_, offset * MICROSECOND, *(_naive(text) for text in texts))
        for id_, offset, *texts in rows
    ]


def place(
    db: Database,
    device: int,
    event: int | None,
    changed: list[Segment],
    corrected: datetime | None = None,
) -> int:
    """Store segments that a clock event has opened (id 0), closed or measured again.

    *corrected*: when the event was, by a clock that we trust.

    Returns the row of the last of them, the one that runs now.
    """
    with db.transaction():
        still_there(db, device)
        row = 0
        for segment in changed:
            row = segment.id or db.next_id("segments")
            db.execute(
                "INSERT INTO segments (id, device_id, offset_us, device_from, device_to, seen)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " offset_us = excluded.offset_us, device_to = excluded.device_to,"
                " seen = excluded.seen",
                row,
                device,
                segment.offset // MICROSECOND,
                *(naive_text(at) for at in (segment.device_from, segment.device_to, segment.seen)),
            )
        if event is not None:
            db.execute(
                "UPDATE clock_events SET segment_id = ?, corrected_at = ? WHERE id = ?",
                row,
                None if corrected is None else to_us(corrected),
                event,
            )
    return row


def clock_pair(db: Database, session: int) -> tuple[str, ClockEvent | None]:
    """The session's UUID and its first clock reading: the coincident time stamp."""
    row = db.execute(
        "SELECT id, session_id, kind, device_clock, segment_id, corrected_at, wall, boottime,"
        " boot_id, trusted FROM clock_events"
        " WHERE session_id = ? AND kind = 'read' AND device_clock IS NOT NULL ORDER BY id LIMIT 1",
        session,
    ).fetchone()
    name = str(db.one("SELECT uuid FROM sessions WHERE id = ?", session))
    if row is None:
        return name, None
    id_, session_, kind, text, segment, corrected, *stamp = row
    shown = datetime.fromisoformat(text)
    placed = (segment, maybe(corrected))
    return name, ClockEvent(id_, session_, kind, shown, stamp_from(*stamp), *placed)


def to_pair(name: str, event: ClockEvent | None, our_clock: datetime | None) -> ClockPair | None:
    """For FHIR: *our_clock* is the event's moment by a clock that may have been corrected since."""
    if event is None or our_clock is None:
        return None
    return ClockPair(uuid.UUID(name), event.device_clock, our_clock)


def _naive(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
