"""What a reading says, for the technician who stands in front of the meter and asks."""

from drivers.api import Value
from gateway.outbox.database import Database
from gateway.outbox.frozen import thaw


def values(db: Database, reading: int) -> tuple[Value, ...] | None:
    """None: there is no such reading, or what it said was removed."""
    sealed = db.one("SELECT reading FROM readings WHERE id = ?", reading)
    if sealed is None:
        return None
    return thaw(db.open("readings", reading, "reading", sealed)).values
