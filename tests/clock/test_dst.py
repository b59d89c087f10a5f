"""Both nights in which the clocks of Denmark change, with meters that switch and that do not.

Spring 2026: from 02:00 to 03:00 on 29 March (01:00 UTC); that hour is missing. Autumn 2026: from
03:00 to 02:00 on 25 October (01:00 UTC); the hour from 02:00 on comes twice. Every reading has the
same values: what is told apart is told apart by its time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import clock
from tests.clock.home import COPENHAGEN, HOUR, Home, Meter, near

SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
NIGHTS = pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring", "autumn"])
SLOW = pytest.mark.parametrize(
    "slow", [timedelta(), timedelta(minutes=7)], ids=["right", "7 min slow"]
)
EVENING, MORNING = -4 * HOUR, 6 * HOUR
EVERY = timedelta(minutes=10)  # a reading, from two hours before the change to two hours after it
MOMENTS = [n * EVERY for n in range(-12, 13)]


@contextmanager
def evening(night: datetime, folder: Path, *, switching: bool) -> Iterator[Home]:
    """A home in the evening before *night*; its gateway's clock is right."""
    home = Home(folder, night + EVENING, switching=switching)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "SYNCHRONISED", home.flag)
        home.synchronise()
        try:
            yield home
        finally:
            home.close()


def meter_of(home: Home, slow: timedelta, *, switching: bool) -> Meter:
    if switching:
        return Meter(ahead=-slow, switching=True)
    local = home.box.at.astimezone(COPENHAGEN).utcoffset()
    assert local is not None
    return Meter(ahead=local - slow)


@NIGHTS
@SLOW
@pytest.mark.parametrize("switching", [False, True], ids=["fixed", "self-switching"])
@pytest.mark.parametrize("sets", [False, True], ids=["never set", "set by us"])
async def test_every_reading_that_comes_at_once_has_its_time(
    night: datetime, slow: timedelta, switching: bool, sets: bool, tmp_path: Path
) -> None:
    with evening(night, tmp_path, switching=switching) as home:
        await home.furnish()
        home.set_clocks = sets
        meter = meter_of(home, slow, switching=switching)
        await home.visit(meter)
        for after in MOMENTS:
            home.box.at = night + after
            meter.measure(home.box.at)
            home.box.move(seconds=20)
            await home.visit(meter)
            await home.settle()
        assert near(await home.times(), [night + after for after in MOMENTS])


@NIGHTS
@SLOW
async def test_a_fixed_clock_read_before_and_fetched_after_has_every_time(
    night: datetime, slow: timedelta, tmp_path: Path
) -> None:
    with evening(night, tmp_path, switching=False) as home:
        await home.furnish()
        home.set_clocks = True
        meter = meter_of(home, slow, switching=False)
        await home.visit(meter)
        for after in MOMENTS:
            meter.measure(night + after)
        home.box.at = night + MORNING
        await home.visit(meter)
        await home.settle()
        assert near(await home.times(), [night + after for after in MOMENTS])


@SLOW
async def test_a_self_switching_clock_fetched_after_the_spring_night_has_every_time(
    slow: timedelta, tmp_path: Path
) -> None:
    with evening(SPRING, tmp_path, switching=True) as home:
        await home.furnish()
        meter = meter_of(home, slow, switching=True)
        await home.visit(meter)
        for after in MOMENTS:
            meter.measure(SPRING + after)
        home.box.at = SPRING + MORNING
        await home.visit(meter)
        await home.settle()
        assert near(await home.times(), [SPRING + after for after in MOMENTS])


async def test_a_self_switching_clock_fetched_after_the_autumn_night_leaves_one_hour_unknown(
    tmp_path: Path,
) -> None:
    """Its stamps from 02:00 to 03:00 were made twice, and nothing in them says which."""
    with evening(AUTUMN, tmp_path, switching=True) as home:
        await home.furnish()
        meter = meter_of(home, timedelta(), switching=True)
        await home.visit(meter)
        for number, after in enumerate(MOMENTS):
            meter.measure(AUTUMN + after, 100 + number)
        home.box.at = AUTUMN + MORNING
        await home.visit(meter)
        await home.settle()
        known = [None if -HOUR <= after < HOUR else AUTUMN + after for after in MOMENTS]
        assert near(await home.times(), known)
        assert near(await home.told(), known)


async def test_a_stamp_of_the_first_hour_fetched_before_the_second_is_of_the_first(
    tmp_path: Path,
) -> None:
    with evening(AUTUMN, tmp_path, switching=True) as home:
        await home.furnish()
        meter = meter_of(home, timedelta(), switching=True)
        taken = AUTUMN - HOUR / 2
        meter.measure(taken)
        home.box.at = AUTUMN + HOUR / 3  # 02:20 again: 02:30 has not come again yet
        await home.visit(meter)
        await home.settle()
        assert near(await home.times(), [taken])


@pytest.mark.parametrize("switching", [False, True], ids=["fixed", "self-switching"])
async def test_a_meter_that_sends_its_memory_again_after_the_autumn_night_doubles_nothing(
    switching: bool, tmp_path: Path
) -> None:
    with evening(AUTUMN, tmp_path, switching=switching) as home:
        await home.furnish()
        home.set_clocks = True
        meter, memory = meter_of(home, timedelta(), switching=switching), []
        for number, after in enumerate(MOMENTS):
            home.box.at = AUTUMN + after
            memory.append(meter.measure(home.box.at, 100 + number))
            home.box.move(seconds=20)
            await home.visit(meter)
            await home.settle()
        before = await home.times()
        assert near(before, [AUTUMN + after for after in MOMENTS])
        for hours in (3, 12, 36):
            home.box.at = AUTUMN + hours * HOUR
            await home.visit(meter, memory)
            await home.settle()
        assert await home.times() == before


async def test_what_a_fixed_clock_stamped_an_hour_before_we_set_it_back_keeps_its_time(
    tmp_path: Path,
) -> None:
    """The stamp equals the time to which the clock is set in the same session."""
    with evening(AUTUMN, tmp_path, switching=False) as home:
        await home.furnish()
        home.set_clocks = True
        meter = meter_of(home, timedelta(), switching=False)
        await home.visit(meter)
        home.box.at = AUTUMN + MORNING
        taken = home.box.at - HOUR
        meter.measure(taken)
        await home.visit(meter)
        await home.settle()
        assert near(await home.times(), [taken])


async def test_someone_sets_a_fixed_clock_in_the_morning_and_the_doubt_is_said(
    tmp_path: Path,
) -> None:
    """Nobody saw when: a stamp since the last look may be of either clock, but for what is now."""
    with evening(AUTUMN, tmp_path, switching=False) as home:
        await home.furnish()
        meter = meter_of(home, timedelta(), switching=False)
        before = home.box.at - HOUR
        meter.measure(before, 101)
        await home.visit(meter)
        meter.measure(AUTUMN + 2 * HOUR, 102)
        meter.ahead -= HOUR
        meter.measure(AUTUMN + 4 * HOUR, 103)
        home.box.at = AUTUMN + MORNING
        meter.measure(home.box.at, 104)
        home.box.move(seconds=20)
        await home.visit(meter)
        await home.settle()
        assert near(await home.times(), [before, None, None, AUTUMN + MORNING])
