"""How full is it, and what makes room: our own quota, and the disk below it.

What nobody else holds yet never makes room for anything.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from gateway.outbox.database import Database
from gateway.outbox.delivery import purge
from gateway.outbox.moments import to_us

EARLY_PERCENT = 50  # from here on received bodies go at once, and somebody is told
STOP_PERCENT = 95  # from here on no meter is connected to: it keeps what it has
ALWAYS = datetime.max.replace(tzinfo=UTC)

Lack = Literal["quota", "disk"]


def full(db: Database) -> Lack | None:
    """Why no meter should be connected to now; None: there is room.

    What arrives all the same is still taken, from the last twentieth of the quota or from the
    reserve on the disk.
    """
    if db.used_percent() >= STOP_PERCENT:
        return "quota"
    return None if db.reserve is None or db.reserve.held else "disk"


def tidy(db: Database, keep: timedelta, now: datetime) -> int:
    """Purge a batch of bodies that were received *keep* ago, or at all where room is short, and of
    frames that said nothing new; take the reserve again if the disk has room for it. Returns how
    many rows that were.
    """
    if db.reserve is not None:
        db.reserve.take()
    if db.used_percent() >= EARLY_PERCENT:
        return relieve(db)
    return purge(db, keep, now) + _repeats(db, now - keep)


def relieve(db: Database) -> int:
    """Purge a batch of what has been received, or said nothing new, whenever that was."""
    return purge(db, timedelta(0), ALWAYS) + _repeats(db, ALWAYS)


def _repeats(db: Database, before: datetime, limit: int = 200) -> int:
    """Drop frames of before that moment that only repeat what a reading says already, and steps of
    journeys that tell of such and of frames.
    """
    count = 0
    for table, which, at in (
        ("frames", "state = 'repeat'", "wall"),
        ("journey", "step IN ('kept', 'repeat')", "at"),
    ):
        rows = db.execute(
            f"SELECT id FROM {table} WHERE {which} AND {at} < ? ORDER BY {at} LIMIT ?",
            to_us(before),
            limit,
        ).fetchall()
        if rows:
            with db.transaction(relieving=True):
                for (row,) in rows:
                    db.execute(f"DELETE FROM {table} WHERE id = ?", row)
        count += len(rows)
    return count
