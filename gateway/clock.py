"""Time: whether our own clock may be believed, and what a meter's clock says in UTC."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model import Segment, Stamp

SYNCHRONISED = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd's own flag
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# Two readings of a free-running clock agree this well: the read itself, whole seconds on the wire,
# and a quartz that is off by 200 ppm at worst.
SAME_CLOCK = timedelta(seconds=5)
DRIFT = 200e-6
LIVE = timedelta(seconds=60)  # a stamp this near to our own local time was made just now
FUTURE = timedelta(minutes=2)  # a stamp later than its arrival by more was made by another clock


class OurClock:
    """Our own clocks, read in one place.

    Trust: "ntp" believes systemd-timesyncd's flag, "assume" believes without proof.
    """

    def __init__(
        self, trust: str, zone: str, wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._assume = trust == "assume"
        self._wall = wall
        self._boot_id = BOOT_ID.read_text().strip()
        self.zone = ZoneInfo(zone)

    @property
    def source(self) -> str:
        """Where our time comes from: "assumed", "ntp" or "none"."""
        return "assumed" if self._assume else "ntp" if SYNCHRONISED.exists() else "none"

    @property
    def trusted(self) -> bool:
        return self.source != "none"

    def now(self) -> Stamp:
        trusted = self.trusted  # asked first: a clock that is set in between was right by then
        boottime = timedelta(microseconds=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)
        return Stamp(self._wall(), boottime, self._boot_id, trusted)

    def utc(self) -> datetime:
        return self._wall()

    def local(self) -> datetime:
        """The home's wall clock, naive: what a meter's clock ought to show."""
        return self._wall().astimezone(self.zone).replace(tzinfo=None)


def corrected(stamp: Stamp, now: Stamp) -> datetime | None:
    """When *stamp* was, by a clock we trust: as it stands, or counted back within one boot.

    None when neither will do: the moment cannot be known.
    """
    if stamp.trusted:
        return stamp.wall
    if now.trusted and now.boot_id == stamp.boot_id:
        return now.wall - (now.boottime - stamp.boottime)
    return None


def running(device_time: datetime, self_switching: ZoneInfo | None) -> datetime:
    """A meter's time on a scale that never jumps by itself, naive.

    Most clocks are that already. One that follows daylight saving time (*self_switching*: the
    zone whose rules it has) is mapped to UTC by the rules of the stamp's own date.
    """
    if self_switching is None:
        return device_time
    return device_time.replace(tzinfo=self_switching).astimezone(UTC).replace(tzinfo=None)


def read(segments: Sequence[Segment], device_clock: datetime, ours: datetime) -> list[Segment]:
    """What changes when a meter's clock reads *device_clock* at our moment *ours*.

    The running segment goes on if the offset agrees; otherwise the clock was set or stepped by
    somebody in between: the segment ends where it was last seen, and the new one cannot have begun
    before that moment, which by the new clock was `last.seen` moved by the step.
    """
    offset = ours - device_clock.replace(tzinfo=UTC)
    last = segments[-1] if segments else None
    if last is None:
        return [Segment(0, offset, None, None, device_clock)]
    elapsed = abs(device_clock - (last.seen or device_clock))
    if abs(offset - last.offset) <= SAME_CLOCK + elapsed * DRIFT:
        return [replace(last, offset=offset, seen=device_clock)]
    ended = replace(last, device_to=last.device_to or last.seen)
    begun = None if last.seen is None else last.seen + (last.offset - offset)
    return [ended, Segment(0, offset, begun, None, device_clock)]


def set_to(segments: Sequence[Segment], device_clock: datetime, ours: datetime) -> list[Segment]:
    """What changes when we set a meter's clock to *device_clock* at our moment *ours*."""
    offset = ours - device_clock.replace(tzinfo=UTC)
    fresh = Segment(0, offset, device_clock, None, device_clock)
    if not segments:
        return [fresh]
    before = (ours - segments[-1].offset).replace(tzinfo=None)  # what it showed just before
    return [replace(segments[-1], device_to=before), fresh]


def segment_of(
    segments: Sequence[Segment], taken_at: datetime, arrived: datetime
) -> Segment | None:
    """The segment in which a stamp was made: the latest that can hold it; None if none can.

    A stamp that would lie in the future of its arrival was not made by that clock.
    """
    for segment in reversed(segments):
        after = segment.device_from is None or taken_at >= segment.device_from
        before = segment.device_to is None or taken_at <= segment.device_to
        if after and before and resolve(segment, taken_at) <= arrived + FUTURE:
            return segment
    return None


def resolve(segment: Segment, taken_at: datetime) -> datetime:
    """UTC of a stamp by its segment's offset."""
    return taken_at.replace(tzinfo=UTC) + segment.offset


def live(taken_at: datetime, arrived: datetime, zone: ZoneInfo) -> Segment | None:
    """A stamp that equals the home's wall clock within a minute is itself a clock reading.

    For meters whose clock cannot be read: the segment it proves is that of a right clock.
    """
    local = arrived.astimezone(zone)
    if abs(local.replace(tzinfo=None) - taken_at) > LIVE:
        return None
    return Segment(0, -(local.utcoffset() or timedelta()), None, None, taken_at)
