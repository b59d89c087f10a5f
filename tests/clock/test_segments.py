"""A meter's clock: spans in which it ran free, and what a stamp made in one of them means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway import clock
from gateway.model import Segment

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def shown(moment: datetime, ahead: timedelta = timedelta()) -> datetime:
    """What a meter that is *ahead* of UTC shows at *moment*."""
    return (moment + ahead).replace(tzinfo=None)


def numbered(segments: list[Segment]) -> list[Segment]:
    """As if stored: every segment has a row."""
    return [replace(each, id=n) for n, each in enumerate(segments, start=1)]


def test_the_first_reading_of_a_clock_explains_all_that_the_meter_remembers() -> None:
    (segment,) = clock.read([], shown(NOON, HOUR), NOON)
    assert segment == Segment(0, -HOUR, None, None, shown(NOON, HOUR))


def test_a_clock_that_drifts_a_little_is_the_same_clock() -> None:
    known = numbered(clock.read([], shown(NOON), NOON))
    week = NOON + timedelta(days=7)
    (again,) = clock.read(known, shown(week, timedelta(seconds=60)), week)
    assert (again.id, again.offset) == (1, timedelta(seconds=-60))


def test_a_clock_that_somebody_set_begins_a_new_segment() -> None:
    known = numbered(clock.read([], shown(NOON), NOON))
    later = NOON + HOUR
    ended, fresh = clock.read(known, shown(later, timedelta(minutes=10)), later)
    assert (ended.id, ended.device_to) == (1, shown(NOON))
    assert (fresh.id, fresh.offset) == (0, timedelta(minutes=-10))


def test_stamps_from_before_a_step_keep_the_offset_they_were_made_with() -> None:
    known = numbered(clock.read([], shown(NOON), NOON))
    later = NOON + HOUR
    for step in (timedelta(minutes=10), timedelta(minutes=-10)):
        stepped = numbered(clock.read(known, shown(later, step), later))
        segment = clock.segment_of(stepped, shown(NOON - HOUR), later)
        assert segment
        assert clock.resolve(segment, shown(NOON - HOUR)) == NOON - HOUR


def test_setting_a_clock_ends_its_segment_at_what_it_showed() -> None:
    known = numbered(clock.read([], shown(NOON, 5 * HOUR), NOON))
    ended, fresh = clock.set_to(known, shown(NOON), NOON)
    assert ended.device_to == shown(NOON, 5 * HOUR)
    assert (fresh.offset, fresh.device_from) == (timedelta(), shown(NOON))


def test_a_stamp_belongs_to_the_latest_segment_that_can_hold_it() -> None:
    known = numbered(clock.read([], shown(NOON, -HOUR), NOON))  # an hour slow
    known = numbered(clock.set_to(known, shown(NOON), NOON))
    arrived = NOON + 3 * HOUR
    before = clock.segment_of(known, shown(NOON, -2 * HOUR), arrived)
    after = clock.segment_of(known, shown(NOON, HOUR), arrived)
    assert (before and before.id, after and after.id) == (1, 2)
    assert before
    assert clock.resolve(before, shown(NOON, -2 * HOUR)) == NOON - HOUR


def test_a_stamp_from_the_future_of_its_arrival_was_made_by_no_clock_we_know() -> None:
    known = numbered(clock.read([], shown(NOON), NOON))
    assert clock.segment_of(known, shown(NOON, HOUR), NOON) is None


def test_a_meter_reset_to_2000_is_resolved_by_its_new_offset() -> None:
    known = numbered(clock.read([], shown(NOON), NOON))
    reset, later = datetime(2000, 1, 1, 8, 0), NOON + HOUR  # noqa: DTZ001 - a device's clock is naive
    known = numbered(clock.read(known, reset, later))
    segment = clock.segment_of(known, reset - timedelta(minutes=5), later)
    assert segment
    assert clock.resolve(segment, reset - timedelta(minutes=5)) == later - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (datetime(2026, 3, 29, 1, 59), datetime(2026, 3, 29, 0, 59)),  # noqa: DTZ001 - naive clocks
        (datetime(2026, 3, 29, 3, 0), datetime(2026, 3, 29, 1, 0)),  # noqa: DTZ001 - naive clocks
        (datetime(2026, 10, 25, 1, 59), datetime(2026, 10, 24, 23, 59)),  # noqa: DTZ001 - naive clocks
        (datetime(2026, 10, 25, 3, 0), datetime(2026, 10, 25, 2, 0)),  # noqa: DTZ001 - naive clocks
    ],
)
def test_a_self_switching_clock_follows_the_zone_of_the_stamps_date(
    local: datetime, utc: datetime
) -> None:
    assert clock.running(local, COPENHAGEN) == utc
    assert clock.running(local, None) == local


def test_a_stamp_equal_to_the_homes_clock_is_a_clock_reading() -> None:
    local = NOON.astimezone(COPENHAGEN).replace(tzinfo=None)
    segment = clock.live(local - timedelta(seconds=50), NOON, COPENHAGEN)
    assert segment
    assert segment.offset == -HOUR
    assert clock.live(local - timedelta(seconds=70), NOON, COPENHAGEN) is None


def test_our_own_moments_are_counted_back_within_one_boot_only() -> None:
    ours = clock.OurClock("assume", "Europe/Copenhagen", lambda: NOON)
    now = ours.now()
    then = replace(now, wall=NOON - timedelta(days=700), trusted=False)
    then = replace(then, boottime=now.boottime - HOUR)
    assert clock.corrected(then, now) == NOON - HOUR
    assert clock.corrected(replace(then, boot_id="another"), now) is None
    assert clock.corrected(then, replace(now, trusted=False)) is None
    assert clock.corrected(replace(then, trusted=True), now) == NOON - timedelta(days=700)
