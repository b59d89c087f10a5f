"""How full is it, and what makes room: our own quota, and the disk below it.

What nobody else holds yet never makes room for anything.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from gateway.outbox.database import Database
from gateway.outbox.delivery import purge

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
    """Purge a batch of bodies that were received *keep* ago, or at all where room is short; take
    the reserve again if the disk has room for it. Returns how many were purged.
    """
    if db.reserve is not None:
        db.reserve.take()
    if db.used_percent() >= EARLY_PERCENT:
        return relieve(db)
    return purge(db, keep, now)


def relieve(db: Database) -> int:
    """Purge a batch of what has been received, whenever that was."""
    return purge(db, timedelta(0), ALWAYS)
