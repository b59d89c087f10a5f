"""A meter's clock: the spans in which it ran free, and what a stamp made in one of them means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.model import Segment

# Two readings of a free-running clock agree this well: the read itself, whole seconds on the wire,
# and a quartz that is off by 200 ppm at worst.
SAME_CLOCK = timedelta(seconds=5)
DRIFT = 200e-6
LIVE = timedelta(seconds=60)  # a stamp this near to our own local time was made just now
FUTURE = timedelta(minutes=2)  # a stamp later than its arrival by more was made by another clock
STOOD = timedelta(seconds=1)  # two looks at a clock that stands differ by no more
# A meter may show the last day of the calendar, where no clock runs on; between these a clock can
# run, and every zone can write the moment.
START, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FIRST, LAST = START + timedelta(days=1), END - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Explained:
    """What the segments say of a stamp."""

    said: datetime | None  # UTC by that segment
    segment: Segment | None  # on which it lies; None: on none
    sure: bool = True  # False: another moment is as good

    @property
    def utc(self) -> datetime | None:
        """When it was made; None if that cannot be known."""
        return self.said if self.sure else None


NOT_AT_ALL = Explained(None, None)


def running(device_time: datetime, self_switching: ZoneInfo | None) -> tuple[datetime, ...]:
    """A meter's time on a scale that never jumps by itself, naive.

    Most clocks are that already. One that follows daylight saving time (*self_switching*: the
    zone whose rules it has) is mapped to UTC by the rules of the stamp's own date. In the hour that
    comes twice there are two answers, the earlier first. The hour that is left out is shown only by
    a clock that is late to switch. The ends of the calendar stay as they are: see `resolve`.
    """
    if self_switching is None:
        return (device_time,)
    try:
        first, second = (
            device_time.replace(tzinfo=self_switching, fold=fold).astimezone(UTC) for fold in (0, 1)
        )
    except OverflowError:
        return (device_time,)
    both = (first, second) if second > first else (first,)
    return tuple(each.replace(tzinfo=None) for each in both)


def shown(
    segments: Sequence[Segment], device_clock: datetime, ours: datetime, zone: ZoneInfo | None
) -> datetime:
    """*device_clock* as `running` gives it; of two answers the one with which the clock went on
    as it was.
    """
    known = segments[-1].offset if segments else timedelta()
    expected = _moved(ours, -known).replace(tzinfo=None)
    return min(running(device_clock, zone), key=lambda each: abs(each - expected))


def read(segments: Sequence[Segment], device_clock: datetime, ours: datetime) -> list[Segment]:
    """What changes when a meter's clock reads *device_clock* at our moment *ours*.

    The running segment goes on if the offset agrees; otherwise the clock was set or stepped by
    somebody in between, nobody knows when: the old segment may have run until now, and the new one
    cannot have begun before it was last seen, which by the new clock was `last.seen` moved by the
    step.
    """
    offset = ours - device_clock.replace(tzinfo=UTC)
    last = segments[-1] if segments else None
    if last is None:
        return [Segment(0, offset, None, None, device_clock)]
    elapsed = abs(device_clock - (last.seen or device_clock))
    if abs(offset - last.offset) <= SAME_CLOCK + elapsed * DRIFT:
        return [replace(last, offset=offset, seen=device_clock)]
    begun = None if last.seen is None else _moved(last.seen, last.offset - offset)
    return [_until(last, ours), Segment(0, offset, begun, None, device_clock)]


def set_to(segments: Sequence[Segment], device_clock: datetime, ours: datetime) -> list[Segment]:
    """What changes when we set a meter's clock to *device_clock* at our moment *ours*."""
    offset = ours - device_clock.replace(tzinfo=UTC)
    fresh = Segment(0, offset, device_clock, None, device_clock)
    return [_until(segments[-1], ours), fresh] if segments else [fresh]


def _until(segment: Segment, ours: datetime) -> Segment:
    """The same, ended: at our moment *ours* its clock would show this."""
    return replace(segment, device_to=_moved(ours, -segment.offset).replace(tzinfo=None))


def explain(
    segments: Sequence[Segment], possible: Sequence[datetime], arrived: datetime | None
) -> Explained:
    """When a stamp was made (*possible*: what `running` gave), and on which segment: the latest
    that can hold it.

    Where another answer is as good, because nobody saw when the clock was set, or in the hour that
    comes twice, the one that is now is right; else the moment is not known. So it is with a clock
    that stands. *arrived* is None when our own clock could not be trusted.
    """
    answers = [
        (moment, segment)
        for segment in reversed(segments)
        for at in reversed(possible)
        if (moment := _held(segment, at, arrived)) is not None
    ]
    if not answers:
        return NOT_AT_ALL
    utc, segment = answers[0]
    if _stands(segments, segment):
        return Explained(utc, segment, sure=False)
    since = _begun(segment)
    rivals = [
        (moment, other) for moment, other in answers if since is None or moment > since + SAME_CLOCK
    ]
    if all(abs(moment - utc) <= LIVE for moment, _ in rivals):
        return Explained(utc, segment)
    if arrived is not None:
        moment, other = min(rivals, key=lambda each: abs(each[0] - arrived))
        if abs(moment - arrived) <= LIVE:
            return Explained(moment, other)
    return Explained(utc, segment, sure=False)


def _held(segment: Segment, at: datetime, arrived: datetime | None) -> datetime | None:
    """UTC of a stamp that can have been made in *segment* and have arrived at *arrived*, else None.

    It does not lie in the future of its arrival, and it did not arrive before the segment began.
    """
    if segment.device_from is not None and at < segment.device_from:
        return None
    if segment.device_to is not None and at > segment.device_to:
        return None
    moment = resolve(segment, at)
    if moment is None or arrived is None:
        return moment
    begun = _begun(segment)
    fits = (begun is None or begun <= arrived) and moment <= arrived + FUTURE
    return moment if fits else None


def _begun(segment: Segment) -> datetime | None:
    """The earliest moment at which the segment can have begun; None: as far as memory goes."""
    return None if segment.device_from is None else resolve(segment, segment.device_from)


def _stands(segments: Sequence[Segment], segment: Segment) -> bool:
    """Whether the clock, when it was first looked at in this segment, showed the same as when it
    was last looked at in the one before: it does not run.
    """
    place = segments.index(segment)
    before = segments[place - 1] if place else None
    if before is None or before.seen is None or before.device_to is None or segment.seen is None:
        return False
    earlier, later = resolve(before, before.device_to), resolve(segment, segment.seen)
    if earlier is None or later is None:
        return False
    return abs(later - earlier) <= SAME_CLOCK and abs(segment.seen - before.seen) <= STOOD


def resolve(segment: Segment, taken_at: datetime) -> datetime | None:
    """UTC of a stamp by its segment's offset; None if either is at an end of the calendar."""
    stamp = taken_at.replace(tzinfo=UTC)
    moment = _moved(stamp, segment.offset)
    return moment if FIRST <= stamp <= LAST and FIRST <= moment <= LAST else None


def _moved(at: datetime, by: timedelta) -> datetime:
    """The sum, and no further than the calendar goes."""
    try:
        return at + by
    except OverflowError:
        return (END if by > timedelta() else START).replace(tzinfo=at.tzinfo)


def right(segment: Segment, zone: ZoneInfo | None) -> bool:
    """Whether this clock was set right, to the time of the home (*zone*), or to UTC where `running`
    maps it there (None). The first segment was not set by anybody that we know of.
    """
    begun = _begun(segment)
    if begun is None:
        return False
    local = timedelta() if zone is None else begun.astimezone(zone).utcoffset() or timedelta()
    return abs(segment.offset + local) <= FUTURE


def live(taken_at: datetime, arrived: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment of a stamp that equals the home's wall clock within a minute, else None.

    For meters whose clock cannot be read: it is itself a reading of a clock that is right.
    """
    moment = min(
        (at.replace(tzinfo=UTC) for at in running(taken_at, zone)),
        key=lambda each: abs(each - arrived),
    )
    return moment if abs(moment - arrived) <= LIVE else None
