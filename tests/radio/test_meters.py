"""What the virtual meters send is what the drivers read, to the last digit."""

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.api import Driver, Reading
from simulator.home import Home
from simulator.meters.meter import Clock, Measured, Meter

KINDS = range(5)


def read(meter: Meter, measured: Measured) -> Reading:
    driver: Driver = importlib.import_module(f"drivers.{meter.driver}").DRIVER
    (group,) = driver.group(measured.frames)
    (reading,) = driver.decode(group)
    return reading


@pytest.mark.parametrize("kind", KINDS)
async def test_a_driver_reads_what_the_meter_measured(tmp_path: Path, kind: int) -> None:
    async with Home(tmp_path / "hci", records=3) as home:
        meter = home.meters[kind]
        for _ in range(30):
            meter.measure()
        for measured in meter.measured:
            reading = read(meter, measured)
            assert [str(value) for value in reading.values] == [str(v) for v in measured.values]
            assert reading.taken_at == measured.taken_at
            assert (
                measured.codes.items() <= {code.system: code.code for code in reading.codes}.items()
            )


async def test_no_two_readings_of_a_meter_are_the_same(tmp_path: Path) -> None:
    now = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    async with Home(tmp_path / "hci") as home:
        for meter in home.meters:
            frames = [meter.measure(now).frames for _ in range(5)]
            assert len(set(frames)) == 5


def test_a_meters_clock_is_wrong_until_it_is_set() -> None:
    now = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    clock = Clock(timedelta(minutes=-7))
    assert clock.shows(now) == datetime(2026, 11, 25, 9, 23)  # noqa: DTZ001 - a meter's clock is naive
    clock.set(datetime(2026, 11, 25, 9, 30), now)  # noqa: DTZ001 - a meter's clock is naive
    assert clock.offset == timedelta(0)
