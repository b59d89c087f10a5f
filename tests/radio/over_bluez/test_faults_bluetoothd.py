"""What goes wrong with bluetoothd, the bus and the adapter, and how the radio gets over it."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from drivers.api import LinkError
from gateway.radio import Radio
from gateway.radio.healing import Rung
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import private_bus
from tests.radio.home import LONG_S, MODEL, everything, until
from tests.radio.over_bluez.home import (
    ADDRESS,
    BONDED,
    CUFF,
    IMPATIENT,
    OTHER,
    hear,
    linked,
    radio_at,
    wake,
)

ALWAYS = 1000  # times


async def test_a_bluetoothd_that_dies_ends_the_frames_of_every_link_at_once(
    bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    async with linked(radio) as link:
        await bluez.die()
        assert await everything(link) == []
        assert not link.connected
        with pytest.raises(LinkError):
            await link.read(MODEL)
    assert radio.links == 0
    assert radio.counters.owner_losses == 1


async def test_a_new_bluetoothd_is_scanned_with_and_connected_by_at_once(
    bus: str, bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        await anext(advertisements)
        async with radio.connect(ADDRESS):
            await bluez.die()
        with pytest.raises(LinkError, match="not heard yet"):
            async with radio.connect(ADDRESS):
                pass
        async with fake_bluez(bus) as anew:
            await anew.do("meter", **BONDED)
            await wake(anew)
            await anext(advertisements)
            async with radio.connect(ADDRESS) as link:
                assert await link.read(MODEL) == b"Acme"


async def test_nothing_is_asked_of_a_bluetoothd_that_is_not_there(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hear_nobody(radio)
    scans = radio.counters.scans
    await bluez.die()
    await until(lambda: radio.counters.owner_losses == 1)
    await hear_nobody(radio)
    assert radio.counters.scans == scans


async def test_a_restart_is_asked_for_when_bluetoothd_stays_away(
    bluez: FakeBluez, tmp_path: Path
) -> None:
    wanted = tmp_path / "restart-bluetooth"
    async with radio_at(tmp_path, limits=IMPATIENT, restart_file=wanted) as radio:
        await hear_nobody(radio)
        await bluez.die()
        await until(wanted.exists)
        assert radio.counters.cures[Rung.RESTART.words] == 1


async def test_a_hanging_bluetoothd_holds_nobody_for_longer_than_the_limits(
    bluez: FakeBluez, impatient: Radio
) -> None:
    await wake(bluez)
    await hear(impatient)
    bluez.freeze()
    with pytest.raises(LinkError, match="no answer in time"):
        async with impatient.connect(ADDRESS):
            pass
    bluez.thaw()
    async with linked(impatient) as link:
        assert link.connected


async def test_calls_on_a_link_end_in_time_when_bluetoothd_hangs(
    bluez: FakeBluez, impatient: Radio
) -> None:
    await wake(bluez)
    async with linked(impatient) as link:
        bluez.freeze()
        with pytest.raises(LinkError, match="no answer in time"):
            await link.read(MODEL)
    bluez.thaw()
    assert impatient.links == 0


async def test_a_system_bus_that_goes_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    socket = tmp_path / "socket"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")
    async with radio_at(tmp_path) as radio:
        for _ in range(2):
            async with private_bus() as address:
                socket.symlink_to(address.partition("unix:path=")[2].partition(",")[0])
                async with fake_bluez(address) as bluez:
                    await bluez.do("meter", **BONDED)
                    await wake(bluez)
                    async with linked(radio) as link:
                        assert await link.read(MODEL) == b"Acme"
            socket.unlink()
            await until(lambda: not radio.present)


async def test_services_that_never_resolve_cost_one_time_limit_and_no_more(
    bluez: FakeBluez, impatient: Radio
) -> None:
    await bluez.do("meter", **BONDED | {"address": OTHER})
    await bluez.do("awake", address=OTHER, on=True)
    await wake(bluez)
    await bluez.do("stick", on=True)
    await hear(impatient)
    with pytest.raises(LinkError, match="connecting"):
        async with impatient.connect(ADDRESS):
            pass
    await bluez.do("stick", on=False)
    async with linked(impatient, OTHER) as link:
        assert link.connected


async def test_a_connect_that_is_refused_is_an_error_and_the_next_one_a_link(
    bluez: FakeBluez, impatient: Radio
) -> None:
    await wake(bluez)
    await hear(impatient)
    await bluez.do("fail", method="Connect", name="Failed", text="canceled", times=ALWAYS)
    with pytest.raises(LinkError, match="connecting"):
        async with impatient.connect(ADDRESS):
            pass
    await bluez.do("fail", method="Connect", name="Failed", text="canceled", times=0)
    async with linked(impatient) as link:
        assert link.connected


async def test_connects_that_fail_in_a_row_are_evidence(bluez: FakeBluez, impatient: Radio) -> None:
    await wake(bluez)
    await hear(impatient)
    await bluez.do("fail", method="Connect", name="Failed", text="Input/output error", times=ALWAYS)
    for _ in range(2):
        with pytest.raises(LinkError):
            async with impatient.connect(ADDRESS):
                pass
    await until(lambda: impatient.counters.cures.get(Rung.RESCAN.words, 0) > 0)


async def test_a_device_that_bluez_has_dropped_meanwhile_is_an_error(
    bluez: FakeBluez, radio: Radio
) -> None:
    await bluez.do("meter", **CUFF | {"address": OTHER})
    await bluez.do("awake", address=OTHER, on=True)
    await hear(radio, OTHER)
    await bluez.do("awake", address=OTHER, on=False)
    await bluez.do("remove", address=OTHER)
    with pytest.raises(LinkError):
        async with radio.connect(OTHER):
            pass


@pytest.mark.parametrize("error", ["InProgress", "Failed", "NotReady", "NotAuthorized"])
async def test_a_scan_that_bluez_refuses_again_and_again_ends_nothing(
    bluez: FakeBluez, radio: Radio, error: str
) -> None:
    await wake(bluez)
    await bluez.do("fail", method="StartDiscovery", name=error, text="no", times=3)
    await hear(radio)
    assert radio.counters.scan_errors == 3
    assert radio.counters.cures == {Rung.RESCAN.words: 1}


async def test_a_scan_that_cannot_be_ended_ends_nothing(bluez: FakeBluez, radio: Radio) -> None:
    await wake(bluez)
    await bluez.do("fail", method="StopDiscovery", name="InProgress", text="busy", times=2)
    await hear(radio)
    await hear(radio)
    assert radio.counters.link_errors == 1


async def test_an_adapter_without_power_is_switched_on(bluez: FakeBluez, impatient: Radio) -> None:
    await wake(bluez)
    await hear(impatient)
    await bluez.do("power", on=False)
    await hear(impatient)
    assert impatient.counters.cures[Rung.POWER_CYCLE.words] == 1


async def test_a_scan_that_has_ended_unasked_is_started_anew(
    bluez: FakeBluez, impatient: Radio
) -> None:
    async with asyncio.timeout(LONG_S), aclosing(impatient.advertisements()) as advertisements:
        heard = asyncio.ensure_future(anext(advertisements))
        while not (await bluez.do("state"))["scanning"]:  # noqa: ASYNC110 - it cannot tell
            await asyncio.sleep(0.01)
        await bluez.do("deafen")
        await until(lambda: impatient.counters.scans == 2)
        await wake(bluez)
        await heard
    assert impatient.counters.cures == {Rung.RESCAN.words: 1}


async def test_a_quiet_home_is_no_illness(bluez: FakeBluez, impatient: Radio) -> None:
    for _ in range(3):
        await hear_nobody(impatient)
    assert impatient.counters.scan_errors == 0
    assert impatient.counters.cures == {}


async def hear_nobody(radio: Radio) -> None:
    """Scan for a while, in a home where nobody measures."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), aclosing(radio.advertisements()) as advertisements:
            await anext(advertisements)
