"""Moments as the outbox stores them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.model import Stamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    return EPOCH + us * MICROSECOND


def maybe(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def stamp_columns(stamp: Stamp) -> tuple[int, int, str, int]:
    """wall, boottime, boot_id, trusted."""
    return to_us(stamp.wall), stamp.boottime // MICROSECOND, stamp.boot_id, int(stamp.trusted)


def stamp_from(wall: Any, boottime: Any, boot_id: Any, trusted: Any) -> Stamp:
    return Stamp(from_us(wall), boottime * MICROSECOND, boot_id, bool(trusted))


def naive_text(moment: datetime | None) -> str | None:
    """A meter's own clock, as its columns have it."""
    return None if moment is None else moment.isoformat()
