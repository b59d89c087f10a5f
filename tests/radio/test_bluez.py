"""The radio over bleak's own BlueZ backend, with a small bluetoothd on a private bus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from drivers.api import LinkError
from gateway.radio import AttError, Radio
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus
from tests.radio.home import BLOOD_PRESSURE, LONG_S, MODEL, SHORT, everything, take

ADDRESS = "C0:11:22:33:44:55"
CUFF: dict[str, Any] = {
    "address": ADDRESS,
    "name": "CUFF-1",
    "secured": True,
    "services": {
        "1810": {"2a35": {"flags": ["indicate"]}},
        "180a": {"2a24": {"flags": ["read"], "value": "41636d65"}},
    },
}
FRAMES = ["0001", "0002", "0003"]


@pytest.fixture
async def bluez(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    async with private_bus() as address, fake_bluez(address) as fake:
        monkeypatch.setenv(ENVIRONMENT, address)
        await fake.do("meter", **CUFF)
        yield fake


@pytest.fixture
async def radio(tmp_path: Path, bluez: FakeBluez) -> AsyncIterator[Radio]:
    async with Radio("bluez", "hci0", tmp_path, limits=SHORT) as radio:
        yield radio


async def hear(radio: Radio) -> None:
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        async for advertisement in advertisements:
            if advertisement.address == ADDRESS:
                await radio.expect({ADDRESS: None})
                return


async def test_a_cuff_is_paired_and_read(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("pour", address=ADDRESS, characteristic="2a35", frames=FRAMES)
    await hear(radio)
    async with radio.connect(ADDRESS) as link:
        with pytest.raises(AttError):
            await link.read(MODEL)
        await link.bond()
        assert await link.read(MODEL) == b"Acme"
        await link.subscribe(BLOOD_PRESSURE)
        assert [frame.octets.hex() for frame in await take(link, 3)] == FRAMES
    assert (await bluez.event("disconnected"))["address"] == ADDRESS


async def test_frames_end_when_the_meter_hangs_up(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("pour", address=ADDRESS, characteristic="2a35", frames=FRAMES, hang_up_s=0.0)
    await hear(radio)
    async with radio.connect(ADDRESS) as link:
        await link.bond()
        await link.subscribe(BLOOD_PRESSURE)
        assert [frame.octets.hex() for frame in await everything(link)] == FRAMES
        assert not link.connected


async def test_a_meter_that_asks_for_a_passkey_is_turned_away(
    bluez: FakeBluez, radio: Radio
) -> None:
    await bluez.do("passkey", value=123456)
    await bluez.do("awake", address=ADDRESS, on=True)
    await hear(radio)
    async with radio.connect(ADDRESS) as link:
        with pytest.raises(LinkError, match="Rejected"):
            await link.bond()


async def test_a_scan_that_bluez_refuses_is_tried_again(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    await bluez.do("fail", method="StartDiscovery", name="InProgress", text="busy")
    await hear(radio)
    assert radio.counters.scan_errors == 1


async def test_a_bluetoothd_that_dies_is_an_error_of_the_link(
    bluez: FakeBluez, radio: Radio
) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    await hear(radio)
    async with radio.connect(ADDRESS) as link:
        await bluez.die()
        with pytest.raises(LinkError):
            await link.read(MODEL)
