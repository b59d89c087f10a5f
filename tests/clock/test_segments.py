"""A meter's clock: spans in which it ran free, and what a stamp made in one of them means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway import clock, device_clock
from gateway.device_clock import Explained
from gateway.model import Segment

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def shown(moment: datetime, ahead: timedelta = timedelta()) -> datetime:
    """What a meter that is *ahead* of UTC shows at *moment*."""
    return (moment + ahead).replace(tzinfo=None)


def explained(segments: list[Segment], stamp: datetime, arrived: datetime) -> datetime | None:
    return device_clock.explain(segments, [stamp], arrived).utc


def numbered(segments: list[Segment]) -> list[Segment]:
    """As if stored: every segment has a row."""
    return [replace(each, id=n) for n, each in enumerate(segments, start=1)]


def test_the_first_reading_of_a_clock_explains_all_that_the_meter_remembers() -> None:
    (segment,) = device_clock.read([], shown(NOON, HOUR), NOON)
    assert segment == Segment(0, -HOUR, None, None, shown(NOON, HOUR))


def test_a_clock_that_drifts_a_little_is_the_same_clock() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    week = NOON + timedelta(days=7)
    (again,) = device_clock.read(known, shown(week, timedelta(seconds=60)), week)
    assert (again.id, again.offset) == (1, timedelta(seconds=-60))


def test_a_clock_that_somebody_set_begins_a_new_segment() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    later = NOON + HOUR
    ended, fresh = device_clock.read(known, shown(later, timedelta(minutes=10)), later)
    assert (ended.id, ended.device_to) == (1, shown(later)), "it may have run until now"
    assert (fresh.id, fresh.offset) == (0, timedelta(minutes=-10))
    assert fresh.device_from == shown(NOON, timedelta(minutes=10)), "or have been set at once"


def test_stamps_from_before_a_step_keep_the_offset_they_were_made_with() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    later = NOON + HOUR
    for step in (timedelta(minutes=10), timedelta(minutes=-10)):
        stepped = numbered(device_clock.read(known, shown(later, step), later))
        assert explained(stepped, shown(NOON - HOUR), later) == NOON - HOUR


def test_setting_a_clock_ends_its_segment_at_what_it_showed() -> None:
    known = numbered(device_clock.read([], shown(NOON, 5 * HOUR), NOON))
    ended, fresh = device_clock.set_to(known, shown(NOON), NOON)
    assert ended.device_to == shown(NOON, 5 * HOUR)
    assert (fresh.offset, fresh.device_from) == (timedelta(), shown(NOON))


def test_a_stamp_belongs_to_the_latest_segment_that_can_hold_it() -> None:
    known = numbered(device_clock.read([], shown(NOON, -HOUR), NOON))  # an hour slow
    known = numbered(device_clock.set_to(known, shown(NOON), NOON))
    arrived = NOON + 3 * HOUR
    before = device_clock.explain(known, [shown(NOON, -2 * HOUR)], arrived)
    after = device_clock.explain(known, [shown(NOON, HOUR)], arrived)
    assert before == Explained(NOON - HOUR, known[0])
    assert after == Explained(NOON + HOUR, known[1])


def test_a_stamp_from_the_future_of_its_arrival_was_made_by_no_clock_we_know() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    assert device_clock.explain(known, [shown(NOON, HOUR)], NOON) == Explained(None, None)


def test_a_meter_reset_to_2000_is_resolved_by_its_new_offset() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    reset, later = datetime(2000, 1, 1, 8, 0), NOON + HOUR  # noqa: DTZ001 - a device's clock is naive
    known = numbered(device_clock.read(known, reset, later))
    five = timedelta(minutes=5)
    assert explained(known, reset - five, later) == later - five


def test_what_was_measured_before_a_reset_that_nobody_saw_keeps_its_time() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    reset, later = datetime(2000, 1, 1, 8, 0), NOON + 3 * HOUR  # noqa: DTZ001 - a device's clock is naive
    known = numbered(device_clock.read(known, reset, later))
    assert explained(known, shown(NOON + HOUR), later) == NOON + HOUR


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(minutes=10)])
def test_a_stamp_of_before_or_after_a_set_that_nobody_saw_has_no_known_time(
    step: timedelta,
) -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    later = NOON + 12 * HOUR
    known = numbered(device_clock.read(known, shown(later, step), later))
    assert explained(known, shown(NOON + 6 * HOUR), later) is None


def test_a_stamp_that_is_now_by_one_of_two_clocks_was_made_by_that_one() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    later = NOON + 12 * HOUR
    known = numbered(device_clock.read(known, shown(later, -HOUR), later))
    assert explained(known, shown(later, -HOUR), later) == later


def test_a_small_correction_leaves_no_doubt() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    later = NOON + HOUR
    known = numbered(device_clock.read(known, shown(later, timedelta(seconds=40)), later))
    assert len(known) == 2
    assert explained(known, shown(NOON + HOUR / 2), later) == NOON + HOUR / 2 - timedelta(
        seconds=40
    )


def test_what_arrived_before_we_set_the_clock_was_not_stamped_by_the_clock_we_set() -> None:
    fast = numbered(device_clock.read([], shown(NOON, HOUR), NOON))
    moment = NOON + timedelta(seconds=5)
    known = numbered(device_clock.set_to(fast, shown(moment), moment))
    assert explained(known, shown(moment), NOON) == moment - HOUR


def test_a_clock_that_stands_says_nothing() -> None:
    known = numbered(device_clock.read([], shown(NOON), NOON))
    known = numbered(device_clock.read(known, shown(NOON), NOON + HOUR))
    stood = device_clock.explain(known, [shown(NOON)], NOON + HOUR)
    assert (stood.utc, stood.segment) == (None, known[-1])


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
    assert device_clock.running(local, COPENHAGEN) == (utc,)
    assert device_clock.running(local, None) == (local,)


def test_a_self_switching_clock_shows_one_hour_twice() -> None:
    local = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - naive clocks
    first = datetime(2026, 10, 25, 0, 30)  # noqa: DTZ001 - naive clocks
    assert device_clock.running(local, COPENHAGEN) == (first, first + HOUR)


def test_a_stamp_equal_to_the_homes_clock_is_a_clock_reading() -> None:
    local = NOON.astimezone(COPENHAGEN).replace(tzinfo=None)
    now = NOON - timedelta(seconds=50)
    assert device_clock.live(local - timedelta(seconds=50), NOON, COPENHAGEN) == now
    assert device_clock.live(local - timedelta(seconds=70), NOON, COPENHAGEN) is None


def test_our_own_moments_are_counted_back_within_one_boot_only() -> None:
    ours = clock.OurClock("assume", "Europe/Copenhagen", lambda: NOON)
    now = ours.now()
    then = replace(now, wall=NOON - timedelta(days=700), trusted=False)
    then = replace(then, boottime=now.boottime - HOUR)
    assert clock.corrected(then, now) == NOON - HOUR
    assert clock.corrected(replace(then, boot_id="another"), now) is None
    assert clock.corrected(then, replace(now, trusted=False)) is None
    assert clock.corrected(replace(then, trusted=True), now) == NOON - timedelta(days=700)
