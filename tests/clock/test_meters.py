"""Meters whose clocks are wrong, reset, stuck or not there: what is known is said, nothing more."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from drivers.api import Frame
from drivers.sig_glucose_frames import MEASUREMENT
from gateway.outbox import sessions
from tests.clock.home import DAY, HOUR, SECOND, Home, Meter, near, stamped
from tests.outbox.house import cuff

YEAR = timedelta(days=365)
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
IN_2000 = datetime(2000, 1, 1, 0, 5)  # noqa: DTZ001 - a device's clock is naive


@pytest.fixture(autouse=True)
def right(home: Home) -> None:
    """Our own clock is right in all of these."""
    home.synchronise()


@pytest.mark.parametrize("off", [YEAR, -YEAR], ids=["fast", "slow"])
async def test_a_meter_one_year_off_has_every_time(home: Home, off: timedelta) -> None:
    meter = Meter(ahead=HOUR + off)
    taken = [home.box.at - n * DAY for n in (3, 2, 1, 0)]
    for at in taken:
        meter.measure(at)
    await home.visit(meter)
    await home.settle()
    assert near(await home.times(), taken)
    assert near(await home.told(), taken)


async def test_a_meter_reset_to_2000_has_the_times_of_before_and_after(home: Home) -> None:
    meter = Meter()
    taken = [home.box.at - DAY]
    meter.measure(taken[0])
    await home.visit(meter)
    before = home.box.at + 5 * HOUR  # nobody has looked since
    meter.measure(before)
    home.box.move(days=1)
    meter.ahead = IN_2000 - home.box.at.replace(tzinfo=None)  # a new battery
    home.box.move(hours=2)
    after = home.box.at
    meter.measure(after)
    home.box.move(hours=3)
    await home.visit(meter)
    await home.settle()
    assert near(await home.times(), [*taken, before, after])


async def test_a_meter_reset_at_every_battery_keeps_equal_readings_apart(home: Home) -> None:
    meter, taken = Meter(), []
    for _ in range(3):
        home.box.move(days=30)
        meter.ahead = IN_2000 - home.box.at.replace(tzinfo=None)
        taken.append(home.box.at)
        meter.measure(home.box.at)  # the same octets each time
        home.box.move(seconds=20)
        await home.visit(meter)
        home.box.move(minutes=10)
        await home.visit(meter)
        await home.settle()
    assert near(await home.times(), taken)


async def test_a_meter_stuck_at_a_date_keeps_two_equal_readings_two(home: Home) -> None:
    meter = Meter(stuck=datetime(2017, 5, 1, 12, 0))  # noqa: DTZ001 - a device's clock is naive
    for _ in range(3):
        home.box.move(days=1)
        meter.measure(home.box.at)
        await home.visit(meter)
        await home.settle()
    first, *others = await home.times()
    assert first is not None, "one look does not show that it stands"
    assert others == [None, None], "no time is made of a clock that stands"
    assert len(await home.due()) == 3


async def test_a_meter_stuck_at_a_date_that_we_try_to_set_keeps_two_equal_readings_two(
    home: Home,
) -> None:
    meter = Meter(stuck=datetime(2017, 5, 1, 12, 0))  # noqa: DTZ001 - a device's clock is naive
    for _ in range(2):
        home.box.move(days=1)
        await home.visit(meter, [meter.measure(home.box.at)])
        row = await home.store(sessions.begin, home.cuff, home.now())
        local = home.ours.local()
        await home.store(sessions.clock_event, row, "set", local, home.stamp())
        await home.store(sessions.end, row, "complete", home.now())
        await home.settle()
    assert len(await home.due()) == 2


async def test_a_meter_stuck_without_a_readable_clock_is_undated_and_two_stay_two(
    home: Home,
) -> None:
    meter = Meter(stuck=datetime(2017, 5, 1, 12, 0))  # noqa: DTZ001 - a device's clock is naive
    for _ in range(2):
        home.box.move(days=1)
        meter.measure(home.box.at)
        await home.visit(meter, readable=False)
        await home.settle()
    assert await home.told() == [None, None]


async def test_a_meter_without_a_clock_is_dated_by_the_arrival(home: Home) -> None:
    taken = home.box.at
    await home.visit(None, [cuff(121, None)])
    home.box.move(hours=5)
    await home.visit(None, [cuff(121, None)])
    await home.settle()
    assert near(await home.times(), [taken, taken + 5 * HOUR + SECOND])


async def test_a_clock_that_cannot_be_read_is_known_by_what_is_live(home: Home) -> None:
    meter, taken = Meter(), home.box.at
    old = taken - DAY
    meter.measure(taken)
    await home.visit(meter, readable=False)
    await home.visit(meter, [meter.measure(old)], readable=False)
    await home.settle()
    assert near(await home.times(), [taken, old])


async def test_a_clock_that_cannot_be_read_and_was_set_by_hand_is_known_anew(home: Home) -> None:
    """Summer time has ended: the next live stamp says so."""
    home.box.at -= 60 * DAY
    meter = Meter(ahead=2 * HOUR)
    meter.measure(home.box.at)
    await home.visit(meter, readable=False)
    home.box.at += 60 * DAY
    meter.ahead = HOUR
    taken = home.box.at
    meter.measure(taken)
    await home.visit(meter, readable=False)
    await home.settle()
    assert near((await home.times())[1:], [taken])


async def test_a_set_in_mid_history_dates_both_halves(home: Home) -> None:
    """An hour fast; we set it right; its records of before and after come mixed."""
    home.set_clocks = True
    meter = Meter(ahead=2 * HOUR)
    before = [home.box.at - n * HOUR / 3 for n in (5, 4, 3)]
    for at in before:
        meter.measure(at)
    await home.visit(meter)
    after = [home.box.at + n * HOUR / 3 for n in (1, 2, 3)]
    for at in after:
        meter.measure(at)
    home.box.move(hours=2)
    memory = [stamped((at + 2 * HOUR).replace(tzinfo=None)) for at in before]
    await home.visit(meter, [*memory, *meter.memory])
    await home.settle()
    assert near(await home.times(), [*before, *after])


async def test_a_memory_told_again_for_a_year_after_a_set_doubles_nothing(home: Home) -> None:
    """A year fast: its old stamps lie ahead, and the clock that was set right comes past them."""
    home.set_clocks = True
    meter = Meter(ahead=HOUR + YEAR)
    taken = [home.box.at - n * DAY for n in (200, 100, 50)]
    memory = [meter.measure(at, 100 + n) for n, at in enumerate(taken)]
    await home.visit(meter)
    for _ in range(13):
        home.box.move(days=30)
        await home.visit(meter, memory)
        await home.settle()
    assert near(await home.times(), taken)


async def test_a_set_that_nobody_saw_leaves_the_stamps_of_that_span_unknown(home: Home) -> None:
    meter, known = Meter(), home.box.at - HOUR
    meter.measure(known, 101)
    await home.visit(meter)
    home.box.move(hours=6)
    meter.measure(home.box.at, 102)
    meter.ahead -= 2 * HOUR
    home.box.move(hours=6)
    await home.visit(meter)
    await home.settle()
    assert near(await home.times(), [known, None])
    assert near(await home.told(), [known, None])


async def test_a_stamp_that_no_timeline_explains_is_kept_and_told_without_a_time(
    home: Home,
) -> None:
    meter = Meter()
    ahead = stamped(meter.shows(home.box.at + 30 * DAY))
    await home.visit(meter, [ahead])
    await home.settle()
    (message,) = await home.due()
    assert message.taken_at is None
    readings = [each for each in observations(message.body) if "issued" in each]
    assert readings
    assert not any("effectiveDateTime" in each for each in readings)
    unknown = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    assert all(each["_effectiveDateTime"] == unknown for each in readings)


@pytest.mark.parametrize("offset", [339, -300, 0])
async def test_a_record_with_base_time_and_offset_is_dated_by_its_user_time(
    home: Home, offset: int
) -> None:
    """Base times near UTC with a large offset are in use; the clock that is read is the user's."""
    device = await home.meter("sig_glucose", address="C0:11:22:33:44:99", since=home.box.at - YEAR)
    taken = home.box.at - DAY
    meter = Meter(ahead=timedelta(minutes=offset))
    home.cuff = device
    await home.visit(meter, [glucose(7, taken, offset)])
    await home.settle()
    assert near(await home.times(), [taken])


async def test_a_record_whose_offset_is_unknown_has_no_time(home: Home) -> None:
    device = await home.meter("sig_glucose", address="C0:11:22:33:44:99", since=home.box.at - YEAR)
    home.cuff = device
    await home.visit(Meter(), [glucose(7, home.box.at, 0x7FFF)])
    await home.settle()
    assert await home.times() == [None]


def observations(body: bytes) -> list[dict[str, Any]]:
    entries = [entry["resource"] for entry in json.loads(body)["entry"]]
    return [each for each in entries if each["resourceType"] == "Observation"]


def glucose(sequence: int, at: datetime, offset: int) -> Frame:
    """A Glucose Measurement: base time in UTC, time offset in minutes, no concentration."""
    octets = bytes([0x03]) + sequence.to_bytes(2, "little")
    octets += at.year.to_bytes(2, "little")
    octets += bytes([at.month, at.day, at.hour, at.minute, at.second])
    octets += (offset & 0xFFFF).to_bytes(2, "little")
    octets += (0xB000 | 100).to_bytes(2, "little") + bytes([0x11])
    return Frame(MEASUREMENT, octets)
