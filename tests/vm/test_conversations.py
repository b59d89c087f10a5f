"""What meters remember, how their clocks go, and whose readings they hold, over real BlueZ."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.api import Absent, Kind
from drivers.common import CLOSE_ENOUGH
from gateway import control_client
from simulator.home import Home
from simulator.meters.glucose import GlucoseMeter
from simulator.meters.meter import Meter
from tests.conversations.octets import NO_NUMBER, pressure
from tests.conversations.room import Row, all_readings
from tests.vm.conftest import PATIENT
from tests.vm.gateway import ANNA, Gateway

BODIL = "urn:uuid:99999999-2222-4333-8444-555555555555"
LONG_AGO = "2024-01-01"
HUNG_UP = "the meter hung up before it had given all its records"
NEAR = timedelta(seconds=3)  # whole seconds on the wire, and the pair itself
SHORT = replace(PATIENT, awake_s=5.0, idle_s=5.0)
LONG = replace(PATIENT, idle_s=60.0)  # hangs up when it is told to, and never of impatience


async def belongs(gateway: Gateway, meter: Meter, patient: str, **terms: object) -> None:
    await control_client.request(
        gateway.socket,
        "devices add",
        driver=meter.driver,
        address=meter.identity.address,
        patient=patient,
        **terms,
    )


async def readings(gateway: Gateway) -> list[Row]:
    return await gateway.store(all_readings)


def remembers(meter: GlucoseMeter, count: int, every: timedelta = timedelta(hours=1)) -> None:
    """It has *count* records and no others."""
    meter.reset()
    meter.measured.clear()
    now = datetime.now(UTC)
    for n in range(count):
        meter.measure(now - every * (count - n))


def told(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row.reading.taken_at, row.reading.values, row.meal) for row in rows]


def known(meter: GlucoseMeter) -> list[tuple[object, ...]]:
    return [(each.taken_at, each.values, each.codes["meal"]) for each in meter.measured]


@pytest.mark.parametrize("habits", [LONG], ids=["long"])
async def test_five_hundred_records_cut_at_137_arrive_in_order_and_none_twice(
    home: Home, gateway: Gateway
) -> None:
    remembers(home.glucose, 500)
    home.glucose.manners.hangs_up_after = 137
    await gateway.add(home.glucose)
    await gateway.until("SELECT cursor FROM devices", (500,))
    await gateway.until_readings(500)
    assert await gateway.sessions() == [HUNG_UP, "complete"]
    assert told(await readings(gateway)) == known(home.glucose)


async def test_a_meter_that_was_reset_between_sessions_is_read_in_full(
    home: Home, gateway: Gateway
) -> None:
    remembers(home.glucose, 3)
    await gateway.add(home.glucose)
    await gateway.until_readings(3)
    home.glucose.reset()
    for minutes in (5, 4, 3, 2):
        home.glucose.measure(datetime.now(UTC) - timedelta(minutes=minutes))
    await gateway.until_readings(7)
    rows = sorted(await readings(gateway), key=lambda row: str(row.effective))
    assert told(rows) == known(home.glucose)


@pytest.mark.parametrize("error", [timedelta(hours=1), timedelta(days=-365)], ids=["hour", "year"])
async def test_records_of_a_wrong_clock_are_right_and_the_clock_is_set(
    home: Home, gateway: Gateway, error: timedelta
) -> None:
    home.glucose.peripheral.clock.offset = error
    remembers(home.glucose, 3, timedelta(days=1))
    await gateway.add(home.glucose)
    await gateway.until_readings(3)
    assert abs(home.glucose.peripheral.clock.offset) <= CLOSE_ENOUGH
    home.glucose.measure()
    await gateway.until_readings(4)
    for row, measured in zip(await readings(gateway), home.glucose.measured, strict=True):
        assert row.effective is not None
        assert abs(row.effective - measured.at) < NEAR


@pytest.mark.parametrize("habits", [SHORT], ids=["5_s"])
async def test_a_meter_that_is_awake_for_five_seconds_is_read_in_them(
    home: Home, gateway: Gateway
) -> None:
    await gateway.add(home.cuff)
    home.cuff.measure()
    await gateway.until_readings(1)
    assert home.cuff.collected == home.cuff.measured


async def test_two_meters_are_read_at_once(home: Home, gateway: Gateway) -> None:
    await gateway.add(home.cuff, home.glucose)
    for minutes in range(8):
        home.cuff.measure(datetime.now(UTC) - timedelta(minutes=minutes))
    home.glucose.wake()
    await gateway.until_readings(28)


async def test_two_slots_of_one_cuff_are_two_people_and_a_third_is_held(
    home: Home, gateway: Gateway
) -> None:
    for slot, patient in ((1, ANNA), (2, BODIL)):
        await belongs(gateway, home.cuff, patient, slot=slot, **{"from": LONG_AGO})
    for user in (1, 2, 3):
        home.cuff.measure()
        home.cuff.stored[-1] = pressure(home.cuff.stored[-1], user=user)
    await gateway.until("SELECT count(*) FROM readings", (3,))
    rows = [(row.patient and row.patient.value, row.state) for row in await readings(gateway)]
    assert rows == [(ANNA, "pending"), (BODIL, "pending"), (None, "held")]


async def test_of_a_recycled_meter_with_200_readings_of_a_stranger_none_is_published(
    home: Home, gateway: Gateway
) -> None:
    remembers(home.glucose, 200)
    await belongs(gateway, home.glucose, ANNA)
    await gateway.until("SELECT state, count(*) FROM readings GROUP BY 1", ("held", 200))


async def test_a_pulse_that_is_no_number_is_said_so(home: Home, gateway: Gateway) -> None:
    await gateway.add(home.cuff)
    home.cuff.stored[:] = [pressure(home.cuff.measure(), pulse=NO_NUMBER)]
    await gateway.until_readings(1)
    (row,) = await readings(gateway)
    pulse = next(each for each in row.reading.values if each.kind is Kind.PULSE_RATE)
    assert (pulse.number, pulse.absent) == (None, Absent.NOT_A_NUMBER)


async def test_a_context_of_a_later_session_is_a_new_version_of_its_reading(
    home: Home, gateway: Gateway
) -> None:
    remembers(home.glucose, 1)
    bare = home.glucose.annotate(home.glucose.measured[0], None)
    await gateway.add(home.glucose)
    await gateway.until_readings(1)
    home.glucose.annotate(bare, 2)
    home.glucose.wake()
    await gateway.until("SELECT state, version FROM readings", ("pending", 2))
    (row,) = await readings(gateway)
    assert row.meal == "fasting"
