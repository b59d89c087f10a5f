"""Moments as FHIR writes them: stored in UTC, written with the home's offset."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from gateway.model import ClockPair


def local(moment: datetime, zone: str) -> datetime:
    """*moment* in the home's zone.

    In UTC where the zone still kept solar time: FHIR has no offsets with seconds.
    """
    there = moment.astimezone(ZoneInfo(zone))
    offset = there.utcoffset() or timedelta()
    return moment.astimezone(UTC) if offset % timedelta(minutes=1) else there


def instant(moment: datetime, zone: str) -> str:
    """Our own clock's reading, to the millisecond."""
    return local(moment, zone).isoformat(timespec="milliseconds")


def second(moment: datetime, zone: str) -> str:
    """When something was measured: no meter tells more than the second."""
    return local(moment, zone).isoformat(timespec="seconds")


def meter_clock(pair: ClockPair, zone: str) -> str | None:
    """The meter's clock in *pair*, with the offset that ours has at that moment.

    So the difference between the two is what the meter's clock is wrong by, in summer and winter.
    """
    if pair.device_clock is None:
        return None
    offset = local(pair.our_clock, zone).utcoffset() or timedelta()
    return pair.device_clock.replace(tzinfo=timezone(offset)).isoformat(timespec="seconds")
