"""Every row of what BlueZ does with subscriptions, on a small bluetoothd that does the same."""

import asyncio
from pathlib import Path

import pytest

from drivers.api import LinkError
from gateway.radio import Radio
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus
from tests.radio.home import BLOOD_PRESSURE, MODEL, everything, take, until
from tests.radio.over_bluez.home import (
    ADDRESS,
    BONDED,
    CUFF,
    FRAMES,
    MEASUREMENT,
    hear,
    hold,
    linked,
    orphans,
    pour,
    radio_at,
    wake,
)


async def test_an_eager_meter_loses_its_word_where_nobody_listens(
    bluez: FakeBluez, radio: Radio
) -> None:
    await pour(bluez, "0001", eager=True)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        assert (await bluez.event("poured"))["heard"] == 0


async def test_an_eager_meter_is_heard_every_time(bluez: FakeBluez, radio: Radio) -> None:
    await hold(radio)
    for number in range(20):
        await pour(bluez, f"{number:04x}", eager=True)
        async with linked(radio) as link:
            await link.subscribe(BLOOD_PRESSURE)
            assert await orphans(radio, 1) == [f"{number:04x}"]


async def test_an_eager_meter_that_hangs_up_at_once_is_heard(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hold(radio)
    for number in range(4):
        await pour(bluez, f"{number:04x}", eager=True, hang_up_s=0.0)
        await hear(radio)
        with pytest.raises(LinkError):
            async with radio.connect(ADDRESS) as link:
                await link.read(MODEL)
        assert await orphans(radio, 1) == [f"{number:04x}"]
    assert radio.counters.cures == {}


async def test_what_comes_after_the_subscription_comes_by_the_link(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hold(radio)
    await wake(bluez)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        for frame in FRAMES:
            await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=frame)
        assert [frame.octets.hex() for frame in await take(link, 3)] == FRAMES
    assert radio.counters.orphans == 0


async def test_nothing_is_heard_twice(bluez: FakeBluez, radio: Radio) -> None:
    await hold(radio)
    await pour(bluez, *FRAMES, hang_up_s=0.2, after_s=0.1)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        by_the_link = [frame.octets.hex() for frame in await everything(link)]
    assert by_the_link == FRAMES
    assert radio.counters.orphans == 0


async def test_the_subscription_is_off_at_the_hang_up_and_on_again_after_it(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hold(radio)
    await wake(bluez)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        rearms = radio.counters.rearms
    await until(lambda: radio.counters.rearms > rearms)
    calls = (await bluez.do("calls", method="Notify"))["calls"]
    assert calls == ["StopNotify", "StartNotify", "StopNotify", "StopNotify", "StartNotify"]


async def test_after_an_aborted_connect_the_next_push_is_heard(
    bluez: FakeBluez, impatient: Radio
) -> None:
    await hold(impatient)
    for _ in range(4):
        rearms = impatient.counters.rearms
        await wake(bluez)
        await bluez.do("stick", on=True)
        await hear(impatient)
        task = asyncio.ensure_future(connect_in_vain(impatient))
        await bluez.event("connected")
        await bluez.do("drop", address=ADDRESS)
        await task
        await bluez.do("stick", on=False)
        await until(lambda before=rearms: impatient.counters.rearms > before)  # type: ignore[misc]  # bound early
        await pour(bluez, "0007", eager=True)
        async with linked(impatient):
            assert await orphans(impatient, 1) == ["0007"]


async def test_after_a_power_cycle_the_next_push_is_heard(bluez: FakeBluez, radio: Radio) -> None:
    await hold(radio)
    rearms = radio.counters.rearms
    await bluez.do("power", on=False)
    await bluez.do("power", on=True)
    await until(lambda: radio.counters.rearms > rearms)
    await pour(bluez, "0001", eager=True)
    async with linked(radio):
        assert await orphans(radio, 1) == ["0001"]


async def test_a_new_bluetoothd_is_listened_to_at_once(
    bus: str, bluez: FakeBluez, radio: Radio
) -> None:
    await hold(radio)
    rearms = radio.counters.rearms
    await bluez.die()
    async with fake_bluez(bus) as anew:
        await anew.do("meter", **BONDED)
        await until(lambda: radio.counters.rearms > rearms)
        await pour(anew, "0001", eager=True)
        async with linked(radio):
            assert await orphans(radio, 1) == ["0001"]
    assert radio.counters.owner_losses >= 1


async def test_attributes_that_appear_with_the_link_are_listened_to(
    bus: str, tmp_path: Path
) -> None:
    """As after a restart of a BlueZ that has the bond and no attributes until the first connect."""
    async with fake_bluez(bus) as bluez, radio_at(tmp_path) as radio:
        await bluez.do("meter", **CUFF | {"secured": False})
        await radio.hold(ADDRESS, [BLOOD_PRESSURE])
        await pour(bluez, *FRAMES)
        async with linked(radio):
            assert await orphans(radio, 3) == FRAMES


async def test_a_subscription_is_held_before_the_bus_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ENVIRONMENT, f"unix:path={tmp_path}/socket")
    async with radio_at(tmp_path) as radio:
        await radio.hold(ADDRESS, [BLOOD_PRESSURE])
        async with private_bus() as address:
            (tmp_path / "socket").symlink_to(address.partition("unix:path=")[2].partition(",")[0])
            async with fake_bluez(address) as bluez:
                await bluez.do("meter", **BONDED)
                await until(lambda: radio.counters.rearms > 0)


async def test_a_meter_that_was_let_go_is_heard_no_more(bluez: FakeBluez, radio: Radio) -> None:
    await hold(radio)
    await radio.let_go(ADDRESS)
    said = await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets="0001")
    assert said["heard"] is False


async def test_a_refused_subscription_is_the_sessions_to_tell(
    bluez: FakeBluez, radio: Radio
) -> None:
    await bluez.do("fail", method="StartNotify", name="Failed", text="ATT error: 0x05", times=99)
    await radio.hold(ADDRESS, [BLOOD_PRESSURE])
    await until(lambda: radio.counters.listener_errors > 0)
    await wake(bluez)
    async with linked(radio) as link:
        with pytest.raises(LinkError, match="0x05"):
            await link.subscribe(BLOOD_PRESSURE)


async def connect_in_vain(radio: Radio) -> None:
    with pytest.raises(LinkError):
        async with radio.connect(ADDRESS):
            pass
