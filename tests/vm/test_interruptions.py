"""What is broken off, restarted or switched off: the rest comes next time."""

from dataclasses import replace

import pytest

from simulator.home import Home
from tests.vm.bluez import Bluetoothd, Bus, powered
from tests.vm.conftest import PATIENT
from tests.vm.gateway import Gateway


@pytest.mark.parametrize("habits", [replace(PATIENT, gives_up_after=7)], ids=["after_7_frames"])
async def test_a_meter_that_hangs_up_half_way_gives_the_rest_next_time(
    home: Home, gateway: Gateway
) -> None:
    home.glucose.wake()
    await gateway.add(home.glucose)
    await gateway.until_readings(20)
    first, second = await gateway.sessions()
    assert (first == "complete", second) == (False, "complete")
    assert home.glucose.collected == home.glucose.measured


async def test_readings_come_after_bluetoothd_was_restarted(
    home: Home, bluetoothd: Bluetoothd, gateway: Gateway
) -> None:
    home.cuff.measure()
    await gateway.add(home.cuff)
    await gateway.until_readings(1)
    await bluetoothd.restart()
    await powered()
    home.cuff.measure()
    await gateway.until_readings(2)
    assert home.cuff.collected == home.cuff.measured


async def test_readings_come_after_bluetoothd_was_killed(
    home: Home, bluetoothd: Bluetoothd, gateway: Gateway
) -> None:
    home.cuff.measure()
    await gateway.add(home.cuff)
    await gateway.until_readings(1)
    await bluetoothd.kill()
    bluetoothd.start()
    await powered()
    home.cuff.measure()
    await gateway.until_readings(2)
    assert home.cuff.collected == home.cuff.measured


async def test_readings_come_after_the_adapter_was_down(
    home: Home, adapter: str, bus: Bus, gateway: Gateway
) -> None:
    home.cuff.measure()
    await gateway.add(home.cuff)
    await gateway.until_readings(1)
    await bus.power(adapter, False)
    home.cuff.measure()
    await bus.power(adapter, True)
    await gateway.until_readings(2)
    assert home.cuff.collected == home.cuff.measured
