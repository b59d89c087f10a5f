"""The inbox: octets exactly as they came, on disk before anything looks at them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from drivers.api import Frame
from gateway.model import Stamp
from gateway.outbox.database import Database, Row
from gateway.outbox.moments import MICROSECOND, maybe, stamp_columns, stamp_from, to_us


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame on disk."""

    id: int
    device: int
    session: int
    frame: Frame
    stamp: Stamp
    attempts: int
    reading: int | None
    waited: bool  # for what it has announced


def keep(db: Database, device: int, session: int, arrived: Sequence[tuple[Frame, Stamp]]) -> None:
    """Commit frames in the order given. When this returns they survive a power cut."""
    with db.transaction():
        for row, (frame, stamp) in enumerate(arrived, start=db.next_id("frames")):
            uuid = str(frame.characteristic)
            db.execute(
                "INSERT INTO frames (id, device_id, session_id, characteristic, octets, digest,"
                " wall, boottime, boot_id, trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
                device,
                session,
                uuid,
                db.seal("frames", row, "octets", frame.octets),
                db.digest(uuid.encode(), frame.octets),
                *stamp_columns(stamp),
            )
        db.note(to_us(arrived[-1][1].wall), "kept", device, None, str(len(arrived)))


_COLUMNS = (
    "f.id, f.device_id, f.session_id, f.characteristic, f.octets,"
    " f.wall, f.boottime, f.boot_id, f.trusted, f.attempts, f.reading_id, f.waits_until IS NOT NULL"
)

# A frame can be read once its session has compared clocks or is over; where a reading may consist
# of several frames (whole-session drivers), only once it is over.
_CAPTURED = (
    "f.state = 'captured' AND f.state IN ('captured', 'parked', 'held')"  # the words of the index
)
# Of another boot only the meter's own clock can tell, once it was looked at while we knew the time.
_DATED = """
    f.trusted
    OR ? AND (f.boot_id = ? OR EXISTS (
        SELECT 1 FROM sessions o JOIN clock_events e ON e.session_id = o.id
        WHERE o.device_id = f.device_id AND e.device_clock IS NOT NULL
          AND (e.trusted OR e.boot_id = ?)))
    OR CASE f.boot_id WHEN ? THEN f.boottime < ? ELSE 0 < ? OR f.wall < ? END
"""
# What a frame has announced comes with it, unless the session was cut short: then in the next one
# that is not, which is handled first; or never.
_WAITED = """
    f.waits_until IS NULL OR f.waits_until <= ? OR (
        EXISTS (SELECT 1 FROM sessions w
                WHERE w.device_id = f.device_id AND w.id > f.session_id AND w.outcome = 'complete')
        AND NOT EXISTS (SELECT 1 FROM frames n
                        WHERE n.state = 'captured' AND n.state IN ('captured', 'parked', 'held')
                          AND n.device_id = f.device_id AND n.waits_until IS NULL))
"""
_SETTLED = f"""
    FROM frames f
    JOIN sessions s ON s.id = f.session_id JOIN devices d ON d.id = f.device_id
    WHERE {_CAPTURED} AND d.identity IS NOT NULL
      AND ({_DATED})
      AND ({_WAITED})
      AND (f.attempts = 0 OR f.id IN (SELECT value FROM json_each(?)))
      AND (s.ended_at IS NOT NULL OR (d.driver NOT IN ({{whole}}) AND EXISTS
           (SELECT 1 FROM clock_events e WHERE e.session_id = s.id)))
"""


def take(
    db: Database,
    whole: Sequence[str],
    now: Stamp,
    patience: timedelta,
    limit: int,
    cleared: Collection[int] = (),
) -> list[Kept]:
    """The next frames to handle, all of one session; counted on disk as being handled.

    Frames stamped while our clock was not trusted wait until their moment can be known, or for
    *patience* since they came; if they came in an earlier boot, since this one or by the clock that
    was not trusted, which of both is sooner. *limit* never parts a session in which
    a reading may consist of several frames. A frame that was in hand at an earlier death of the
    program waits until it is among the *cleared*, and comes alone.
    """
    settled = _SETTLED.format(whole=", ".join("?" * len(whole)))
    up = (now.boottime - patience) // MICROSECOND
    dated = (now.trusted, now.boot_id, now.boot_id, now.boot_id, up, up, to_us(now.wall - patience))
    terms = (*dated, to_us(now.wall), json.dumps(list(cleared)), *whole)
    first = db.execute(
        f"SELECT f.session_id, d.driver {settled} ORDER BY f.id LIMIT 1", *terms
    ).fetchone()
    if first is None:
        return []
    session, driver = first
    rows = db.execute(
        f"SELECT {_COLUMNS} {settled} AND f.session_id = ? ORDER BY f.id LIMIT ?",
        *terms,
        session,
        -1 if driver in whole else limit,
    )
    batch = [_kept(db, row) for row in rows]
    suspects = [kept for kept in batch if kept.attempts]
    if suspects:
        batch = suspects[:1]
    with db.transaction(durable=False):
        for kept in batch:
            db.execute("UPDATE frames SET attempts = attempts + 1 WHERE id = ?", kept.id)
    return batch


def suspects(db: Database) -> list[tuple[Kept, str]]:
    """Frames that were in hand when the program died, each with its driver."""
    rows = db.execute(
        f"SELECT {_COLUMNS}, d.driver FROM frames f JOIN devices d ON d.id = f.device_id"
        f" WHERE {_CAPTURED} AND f.attempts > 0 ORDER BY f.id"
    ).fetchall()
    return [(_kept(db, row), driver) for *row, driver in rows]


def related(db: Database, device: int, joins: bytes) -> list[Kept]:
    """Frames of earlier moments that may belong to the same reading, oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM frames f WHERE f.device_id = ? AND f.joins = ?"
        " AND f.octets IS NOT NULL AND (f.state IN ('decoded', 'held') OR"
        " (f.state = 'captured' AND f.waits_until IS NOT NULL)) ORDER BY f.id",
        device,
        db.digest(joins),
    ).fetchall()
    return [_kept(db, row) for row in rows]


def wait(db: Database, frames: Sequence[Kept], joins: bytes | None, until: datetime) -> None:
    """These have announced what has not come yet: they stay captured, no longer than *until*."""
    with db.transaction():
        for kept in frames:
            db.execute(
                "UPDATE frames SET waits_until = ?, joins = ?, attempts = 0 WHERE id = ?",
                to_us(until),
                None if joins is None else db.digest(joins),
                kept.id,
            )


def attached(
    db: Database, frames: Sequence[Kept], state: str, reading: int, joins: bytes | None
) -> None:
    """These frames are (part of, or a repeat of) that reading; inside a transaction."""
    digest = None if joins is None else db.digest(joins)
    for kept in frames:
        db.execute(
            "UPDATE frames SET state = ?, reason = NULL, joins = ?, reading_id = ? WHERE id = ?",
            state,
            digest,
            reading,
            kept.id,
        )


def latest_trusted(db: Database) -> datetime | None:
    """When the last frame came whose moment is certain: it is later now."""
    return maybe(db.one("SELECT wall FROM frames WHERE trusted ORDER BY id DESC LIMIT 1"))


def waiting_for_clock(db: Database) -> int:
    return int(db.one(f"SELECT count(*) FROM frames f WHERE {_CAPTURED} AND NOT trusted"))


def _kept(db: Database, row: Row) -> Kept:
    id_, device, session, uuid, sealed, wall, boottime, boot_id, trusted, *rest = row
    attempts, reading, waited = rest
    return Kept(
        id_,
        device,
        session,
        Frame(UUID(uuid), db.open("frames", id_, "octets", sealed)),
        stamp_from(wall, boottime, boot_id, trusted),
        attempts,
        reading,
        bool(waited),
    )
