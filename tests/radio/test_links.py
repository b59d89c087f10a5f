"""Links to virtual meters: two full Bluetooth stacks, bleak's own interface, a socket between."""

import asyncio
from pathlib import Path

import pytest

from drivers.api import LinkError
from gateway.radio import AttError, Limits, Radio
from simulator.home import Home
from tests.radio.home import (
    BLOOD_PRESSURE,
    CONTEXT,
    CURRENT_TIME,
    GLUCOSE,
    LONG_S,
    MODEL,
    QUICK,
    RACP,
    everything,
    heard,
    linked,
    radio_in,
    take,
    until,
)


async def test_device_information_is_read_without_a_bond(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        assert link.address == home.cuff.identity.address
        assert await link.read(MODEL) == b"Cuff"


async def test_a_health_characteristic_is_refused_without_a_bond(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        with pytest.raises(AttError) as refused:
            await link.subscribe(BLOOD_PRESSURE)
        assert refused.value.bond_missing
        assert link.connected


async def test_what_a_meter_lacks_is_refused_by_name(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        assert not link.has(GLUCOSE)
        with pytest.raises(AttError, match="no characteristic 00002a18"):
            await link.read(GLUCOSE)


async def test_indications_arrive_in_order_and_are_confirmed(home: Home, radio: Radio) -> None:
    sent = [home.cuff.measure().frames[0] for _ in range(5)]
    async with linked(radio, home.cuff) as link:
        await link.bond()
        await link.subscribe(BLOOD_PRESSURE)
        assert await take(link, 5) == sent
    assert home.cuff.collected == home.cuff.measured


async def test_bonding_twice_is_bonding_once(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        await link.bond()
        assert link.connected


async def test_a_lost_link_is_not_taken_for_a_lost_bond(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        assert await link.bonded()
        await home.cuff.peripheral.hang_up()
        assert [frame async for frame in link.frames()] == []  # it has ended
        with pytest.raises(LinkError, match="the link was lost"):
            await link.bonded()


async def test_a_meter_gives_its_records_with_their_contexts(home: Home, radio: Radio) -> None:
    home.glucose.measure()
    async with linked(radio, home.glucose) as link:
        await link.bond()
        for characteristic in (GLUCOSE, CONTEXT, RACP):
            await link.subscribe(characteristic)
        await link.write(RACP, bytes([1, 1]))
        *frames, answer = await take(link, 2 * 21 + 1)
    assert frames == [frame for record in home.glucose.measured for frame in record.frames]
    assert answer == (RACP, bytes([6, 0, 1, 1]))
    assert home.glucose.collected == home.glucose.measured


async def test_frames_end_when_the_meter_hangs_up(home: Home, radio: Radio) -> None:
    sent = home.scale.measure().frames
    async with linked(radio, home.scale) as link:
        await link.bond()
        await link.subscribe(sent[0].characteristic)
        received = await take(link, 1)
        await home.scale.peripheral.hang_up()
        received += await everything(link)
        assert not link.connected
        with pytest.raises(LinkError):
            await link.read(MODEL)
    assert received == list(sent)


async def test_a_meter_that_gives_up_half_way_keeps_the_rest(tmp_path: Path) -> None:
    hasty = type(QUICK)(awake_s=10.0, idle_s=2.0, advertising_ms=20, gives_up_after=2)
    async with (
        Home(tmp_path / "hci", hasty) as home,
        radio_in(home, tmp_path / "state") as radio,
    ):
        sent = [home.cuff.measure().frames[0] for _ in range(3)]
        async with linked(radio, home.cuff) as link:
            await link.bond()
            await link.subscribe(BLOOD_PRESSURE)
            assert await everything(link) == sent[:2]
        assert len(home.cuff.stored) == 1
        async with linked(radio, home.cuff) as link:
            await link.subscribe(BLOOD_PRESSURE)
            assert await take(link, 1) == sent[2:]
    assert home.cuff.collected == home.cuff.measured


async def test_an_idle_meter_hangs_up(tmp_path: Path) -> None:
    impatient = type(QUICK)(awake_s=10.0, idle_s=0.2, advertising_ms=20)
    async with (
        Home(tmp_path / "hci", impatient) as home,
        radio_in(home, tmp_path / "state") as radio,
    ):
        home.cuff.wake()
        async with linked(radio, home.cuff) as link:
            assert await everything(link) == []
            assert not link.connected


async def test_a_bonded_meter_is_read_again_without_pairing(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        await link.subscribe(BLOOD_PRESSURE)
        await take(link, 1)
    sent = home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        await link.subscribe(BLOOD_PRESSURE)
        assert await take(link, 1) == list(sent.frames)


async def test_bonds_survive_a_restart_of_the_gateway(home: Home, tmp_path: Path) -> None:
    home.cuff.wake()
    async with radio_in(home, tmp_path / "state") as radio, linked(radio, home.cuff) as link:
        await link.bond()
    sent = home.cuff.measure()
    async with radio_in(home, tmp_path / "state") as radio, linked(radio, home.cuff) as link:
        await link.subscribe(BLOOD_PRESSURE)
        assert await take(link, 1) == list(sent.frames)


async def test_a_meter_that_forgot_its_bond_is_an_error_until_we_forget_it_too(
    home: Home, radio: Radio
) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        await link.bond()
    await home.cuff.peripheral.forget()
    home.cuff.measure()
    with pytest.raises(LinkError, match="forgotten its bond"):
        async with linked(radio, home.cuff):
            pass
    await radio.forget(home.cuff.identity.address)
    async with linked(radio, home.cuff) as link:
        await link.bond()
        await link.subscribe(BLOOD_PRESSURE)
        assert len(await take(link, 1)) == 1


async def test_another_gateway_has_no_part_in_the_bond(home: Home, tmp_path: Path) -> None:
    home.cuff.wake()
    async with radio_in(home, tmp_path / "one") as radio, linked(radio, home.cuff) as link:
        await link.bond()
    home.cuff.measure()
    async with radio_in(home, tmp_path / "two") as radio, linked(radio, home.cuff) as link:
        with pytest.raises(AttError):
            await link.subscribe(BLOOD_PRESSURE)


async def test_a_meters_clock_is_read_and_set(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        await link.write(CURRENT_TIME, bytes([0xEA, 7, 3, 1, 8, 30, 0, 0, 0, 0]))
        assert (await link.read(CURRENT_TIME))[:6] == bytes([0xEA, 7, 3, 1, 8, 30])
        with pytest.raises(AttError):
            await link.write(CURRENT_TIME, bytes([0xEA, 7, 2, 30, 8, 30, 0, 0, 0, 0]))


async def test_several_links_stand_at_once_while_the_scan_goes_on(home: Home, radio: Radio) -> None:
    meters = (home.cuff, home.scale, home.thermometer)
    for meter in meters:
        meter.measure()

    async def collect(meter: object, address: str) -> None:
        async with radio.connect(address) as link:
            await link.bond()
            await link.subscribe(characteristics[address])
            await take(link, 1)

    await radio.expect({meter.identity.address: None for meter in meters})
    characteristics = {m.identity.address: m.measured[0].frames[0].characteristic for m in meters}
    async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
        missing = set(characteristics)
        async for advertisement in radio.advertisements():
            if advertisement.address in missing:
                missing.discard(advertisement.address)
                group.create_task(collect(None, advertisement.address), name="collect")
            if not missing:
                break
    assert [len(meter.collected) for meter in meters] == [1, 1, 1]


async def test_a_call_that_nobody_answers_ends_in_time(home: Home, tmp_path: Path) -> None:
    limits = Limits(connect_s=3.0, gatt_s=0.2, bond_s=3.0, close_s=0.2)
    async with radio_in(home, tmp_path / "state", limits) as radio:
        home.cuff.wake()
        await heard(radio, home.cuff)
        async with radio.connect(home.cuff.identity.address) as link:
            home.cuff.peripheral.deafen()
            with pytest.raises(LinkError, match="no answer in time"):
                await link.read(MODEL)
        assert radio.counters.link_errors > 0


async def test_a_meter_out_of_reach_is_an_error_in_time(home: Home, tmp_path: Path) -> None:
    limits = Limits(connect_s=2.0, gatt_s=10.0, bond_s=10.0, close_s=5.0)
    async with radio_in(home, tmp_path / "state", limits) as radio:
        home.cuff.measure()
        await heard(radio, home.cuff)
        await home.cuff.peripheral.sleep()
        with pytest.raises(LinkError, match="connecting"):
            async with radio.connect(home.cuff.identity.address):
                pass
        home.scale.measure()
        async with linked(radio, home.scale) as link:
            assert link.connected


async def test_a_stranger_cannot_be_connected_to(radio: Radio) -> None:
    with pytest.raises(LinkError, match="not heard yet"):
        async with radio.connect("C0:00:00:00:00:01"):
            pass


async def test_the_adapter_is_pulled_out_and_put_back(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        home.air.cut()
        assert await everything(link) == []
        with pytest.raises(LinkError):
            await link.read(MODEL)
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        await link.subscribe(BLOOD_PRESSURE)
        assert len(await take(link, 2)) == 2


async def test_a_meter_whose_other_end_is_gone_without_a_word_notices(
    home: Home, radio: Radio
) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        await link.bond()
        (gateway,) = (each for each in home.air._link.controllers if each.name == "gateway")
        home.air._link.remove_controller(gateway)
        await until(lambda: home.cuff.peripheral.connection is None)
    home.air._link.add_controller(gateway)  # for its own farewell
