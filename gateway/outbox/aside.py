"""Frames that make no reading by themselves, or ended the program: kept aside, counted, capped."""

from collections.abc import Sequence
from datetime import datetime

from gateway.outbox.database import Database
from gateway.outbox.frames import Kept
from gateway.outbox.moments import to_us

# What was in hand at one death of the program is tried in another process (suspects.py); what
# passed every trial and was in hand at so many is parked: by chance alone it never comes to that.
CRASHES = 5
PARKED_AT_MOST = 1000  # frames of one meter: three a day for a year
DROPPED = "parked-frames-dropped"  # counter: came beyond that


def park_suspects(db: Database, now: datetime) -> int:
    """At start: park what the process was handling at its last deaths. Returns how many."""
    parked = 0
    for table, state in (("frames", "captured"), ("readings", "pending")):
        rows = db.execute(
            f"SELECT id, device_id FROM {table} WHERE state = ? AND attempts >= ?",
            state,
            CRASHES,
        ).fetchall()
        for row, device in rows:
            with db.transaction():
                db.execute(
                    f"UPDATE {table} SET state = 'parked', reason = ? WHERE id = ?",
                    f"the program ended {CRASHES} times while handling it",
                    row,
                )
                reading = row if table == "readings" else None
                db.note(to_us(now), "parked", device, reading, "crash")
        parked += len(rows)
    return parked


def park(db: Database, row: int, reason: str, now: datetime) -> None:
    """A human must look at this frame; it is kept."""
    with db.transaction():
        device = db.one("SELECT device_id FROM frames WHERE id = ?", row)
        db.execute("UPDATE frames SET state = 'parked', reason = ? WHERE id = ?", reason, row)
        db.note(to_us(now), "parked", device, None, "crash")


def settle(
    db: Database,
    frames: Sequence[Kept],
    state: str,
    reason: str | None,
    joins: bytes | None,
    now: datetime,
    *,
    capped: bool = False,
) -> None:
    """Frames that make no reading by themselves: parked, held or ignored, with the reason.

    Octets that wait already, or were discarded, are counted where they stand: a meter may send
    the same ones for years. *capped*: no version of this program is known to read them, and they
    are not to fill the disk: beyond PARKED_AT_MOST of a meter further ones are counted and
    dropped. What waits is never pushed out by what comes.
    """
    digest = None if joins is None else db.digest(joins)
    with db.transaction():
        fresh = [kept for kept in frames if state == "ignored" or not _came_before(db, kept)]
        for kept in fresh:
            if capped and _full(db, kept.device):
                db.execute("DELETE FROM frames WHERE id = ?", kept.id)
                db.count(DROPPED)
                continue
            db.execute(
                "UPDATE frames SET state = ?, reason = ?, joins = ? WHERE id = ?",
                state,
                reason,
                digest,
                kept.id,
            )
        if fresh:
            db.note(to_us(now), state, frames[0].device, None, reason or "")


def _came_before(db: Database, kept: Kept) -> bool:
    """Count a frame whose octets wait already or were discarded; inside a transaction."""
    again = db.one(
        "SELECT a.id FROM frames a JOIN frames b ON a.device_id = b.device_id"
        " AND a.digest = b.digest AND a.id <> b.id"
        " WHERE b.id = ? AND a.state IN ('parked', 'held', 'ignored') AND a.reading_id IS NULL"
        " ORDER BY a.id LIMIT 1",
        kept.id,
    )
    if again is None:
        return False
    db.execute("UPDATE frames SET repeats = repeats + 1 WHERE id = ?", again)
    db.execute("DELETE FROM frames WHERE id = ?", kept.id)
    return True


def _full(db: Database, device: int) -> bool:
    parked = db.one(
        "SELECT count(*) FROM frames WHERE device_id = ? AND state = 'parked'"
        " AND state IN ('captured', 'parked', 'held')",  # the words of the index
        device,
    )
    return int(parked) >= PARKED_AT_MOST


def overflowing(db: Database) -> int:
    """Of how many meters so many frames are parked that further ones are dropped."""
    meters = db.execute(
        "SELECT device_id FROM frames WHERE state = 'parked'"
        " AND state IN ('captured', 'parked', 'held')"  # the words of the index
        " GROUP BY device_id HAVING count(*) >= ?",
        PARKED_AT_MOST,
    )
    return len(meters.fetchall())
