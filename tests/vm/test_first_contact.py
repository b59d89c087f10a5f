"""Hearing a meter, and introducing it."""

from contextlib import aclosing

from gateway.radio import Radio
from simulator.home import Home
from tests.vm.bluez import Bus
from tests.vm.gateway import Gateway


async def test_a_scan_finds_a_meter(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with aclosing(radio.advertisements()) as advertisements:
        heard = await anext(advertisements)
    assert (heard.address, heard.name) == (home.cuff.identity.address, "BP-SIM")


async def test_a_cuff_is_bonded_by_just_works_and_its_reading_is_committed(
    home: Home, bus: Bus, gateway: Gateway
) -> None:
    measured = home.cuff.measure()
    await gateway.add(home.cuff)
    await gateway.until_readings(1)
    assert await gateway.octets() == [measured.frames[0].octets]
    assert await gateway.rows("SELECT bond FROM devices") == [("just-works",)]
    assert (await bus.device(home.cuff.identity.address))["Paired"]


async def test_twenty_records_and_their_contexts_are_fetched(home: Home, gateway: Gateway) -> None:
    home.glucose.wake()
    await gateway.add(home.glucose)
    await gateway.until_readings(20)
    sent = [frame.octets for each in home.glucose.measured for frame in each.frames]
    assert sorted(await gateway.octets()) == sorted(sent)
    assert home.glucose.collected == home.glucose.measured
