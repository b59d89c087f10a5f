"""Our own clock is wrong at first: what came meanwhile is resolved, or said to be unknown."""

from datetime import timedelta

from tests.clock.home import HOUR, SECOND, Home, Meter, near
from tests.outbox.house import cuff

YEARS = timedelta(days=1900)


async def test_years_behind_and_synchronised_an_hour_later_all_is_right_to_the_second(
    home: Home,
) -> None:
    home.box.error = -YEARS
    meter = Meter()
    first, second = home.box.at - 3 * HOUR, home.box.at
    meter.measure(first)
    meter.measure(second)
    meter.memory.append(cuff(130, None))  # without a stamp: taken when it arrived
    await home.visit(meter)
    await home.settle()
    assert await home.times() == [], "held"
    home.box.move(hours=1)
    home.synchronise()
    await home.settle()
    assert near(await home.times(), [first, second, second])
    assert near(await home.told(), [first, second, second])


async def test_a_clock_that_is_never_set_holds_for_24_hours_and_then_says_unknown(
    home: Home,
) -> None:
    home.box.error = -YEARS
    meter = Meter()
    meter.measure(home.box.at)
    meter.memory.append(cuff(130, None))
    await home.visit(meter)
    home.box.move(hours=23, minutes=59)
    await home.settle()
    assert await home.times() == []
    home.box.move(minutes=1)
    await home.settle()
    assert await home.told() == [None, None]
    for message in await home.due():
        assert b"_effectiveDateTime" in message.body
        assert b"unknown" in message.body
        assert b"issued" not in message.body  # nobody knew when that was


async def test_never_set_but_the_meters_clock_is_known_from_before(home: Home) -> None:
    meter = Meter()
    home.synchronise()
    await home.visit(meter)
    await home.settle()
    home.reboot()
    home.box.error = -YEARS
    home.box.move(days=2)
    at = home.box.at
    meter.measure(at)
    await home.visit(meter)
    home.box.move(hours=25)
    await home.settle()
    assert near(await home.told(), [at])


async def test_never_set_and_the_meter_was_reset_as_well_nothing_is_invented(home: Home) -> None:
    meter = Meter()
    home.synchronise()
    await home.visit(meter)
    await home.settle()
    home.reboot()
    home.box.move(days=2)
    meter.ahead = -timedelta(days=9000)
    meter.measure(home.box.at)
    await home.visit(meter)
    home.box.move(hours=25)
    await home.settle()
    assert await home.told() == [None]


async def test_what_came_in_a_boot_without_time_is_dated_by_the_meters_clock_of_the_next(
    home: Home,
) -> None:
    home.box.error = -YEARS
    meter, at = Meter(), home.box.at
    meter.measure(at)
    await home.visit(meter)
    await home.settle()
    home.box.move(hours=3)
    home.reboot()
    await home.visit(meter)
    home.synchronise()
    await home.settle()
    assert near(await home.times(), [at])


async def test_a_reading_without_a_stamp_from_a_boot_without_time_stays_undated(home: Home) -> None:
    home.box.error = -YEARS
    await home.visit(Meter(), [cuff(130, None)])
    home.box.move(hours=3)
    home.reboot()
    home.synchronise()
    await home.settle()
    assert await home.told() == [None]


async def test_our_clock_is_stepped_in_the_middle_of_a_conversation(home: Home) -> None:
    home.box.error = -YEARS
    meter, at = Meter(), home.box.at
    row_before = meter.measure(at)
    await home.visit(meter, [row_before])
    home.synchronise()
    home.box.move(minutes=1)
    later = home.box.at
    await home.visit(meter, [meter.measure(later, 122)])
    await home.settle()
    assert near(await home.times(), [at, later])
    assert await home.rows("SELECT count(*) FROM segments") == [(1,)], "the meter's was not"


async def test_a_small_step_of_a_clock_that_is_believed_moves_no_reading_and_is_counted(
    home: Home,
) -> None:
    home.synchronise()
    home.box.error = -3 * SECOND
    meter, first = Meter(), home.box.at
    await home.visit(meter, [meter.measure(first)])
    await home.settle()
    home.box.error = timedelta()
    home.box.move(days=1)
    second = home.box.at
    await home.visit(meter, [meter.measure(second, 122)])
    await home.settle()
    assert near(await home.times(), [first - 3 * SECOND, second])
    assert home.ours.steps == 1


async def test_years_behind_without_a_readable_clock_a_live_stamp_dates_itself(home: Home) -> None:
    home.box.error = -YEARS
    at = home.box.at
    await home.visit(Meter(), [Meter().measure(at)], readable=False)
    home.box.move(hours=1)
    home.synchronise()
    await home.settle()
    assert near(await home.times(), [at])


async def test_a_box_that_is_switched_off_every_night_does_not_hold_for_ever(home: Home) -> None:
    """Its clock goes on at each start from where it was at the last end."""
    home.box.error = -YEARS
    await home.visit(Meter(), [cuff(130, None)])
    for night in range(3):
        home.box.move(hours=10)
        await home.settle()
        assert await home.told() == ([] if night < 2 else [None])
        home.box.move(hours=14)
        home.box.error -= 14 * HOUR
        home.reboot()


async def test_what_came_in_a_boot_without_time_waits_for_a_look_at_the_meters_clock(
    home: Home,
) -> None:
    meter, at = Meter(), home.box.at
    await home.visit(meter, [meter.measure(at)])
    home.box.move(hours=1)
    home.reboot()
    home.synchronise()
    await home.settle()
    assert await home.times() == [], "its clock was not looked at since"
    home.box.move(hours=5)
    await home.visit(meter)
    await home.settle()
    assert near(await home.times(), [at])


async def test_the_wait_for_a_look_at_the_meters_clock_has_an_end(home: Home) -> None:
    meter = Meter()
    await home.visit(meter, [meter.measure(home.box.at)])
    home.box.move(hours=1)
    home.reboot()
    home.synchronise()
    home.box.move(hours=23)
    await home.settle()
    assert await home.told() == [None]


async def test_a_meter_that_was_set_between_a_boot_without_time_and_the_next_dates_nothing(
    home: Home,
) -> None:
    meter = Meter()
    await home.visit(meter, [meter.measure(home.box.at)])
    home.box.move(hours=1)
    home.reboot()
    home.synchronise()
    meter.ahead -= 5 * HOUR
    await home.visit(meter, [])
    await home.settle()
    assert await home.told() == [None]
