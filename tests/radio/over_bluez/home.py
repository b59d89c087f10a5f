"""A radio over bleak's own BlueZ backend, and a small bluetoothd on a private bus, for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.radio import Limits, Link, Radio
from tests.fakes.bluez import FakeBluez
from tests.radio.home import BLOOD_PRESSURE, LONG_S, SHORT, until

ADDRESS = "C0:11:22:33:44:55"
OTHER = "C0:11:22:33:44:66"
MEASUREMENT = "2a35"
CUFF: dict[str, Any] = {
    "address": ADDRESS,
    "name": "CUFF-1",
    "secured": True,
    "services": {
        "1810": {MEASUREMENT: {"flags": ["indicate"]}},
        "180a": {"2a24": {"flags": ["read"], "value": "41636d65"}},
    },
}
BONDED = CUFF | {"bonded": True}
# Whatever is wrong is seen to be wrong in a moment.
IMPATIENT = replace(
    SHORT,
    connect_s=1.0,
    gatt_s=1.0,
    close_s=0.5,
    deaf_s=0.3,
    dark_s=0.1,
    gone_s=0.2,
    look_s=0.05,
)
FRAMES = ["0001", "0002", "0003"]


def radio_at(folder: Path, limits: Limits = SHORT, **options: Any) -> Radio:
    return Radio("bluez", "hci0", folder, limits=limits, **options)


async def hear(radio: Radio, address: str = ADDRESS) -> None:
    """Until the radio hears that meter; then it stops scanning."""
    await name_of(radio, address)


async def name_of(radio: Radio, address: str) -> str | None:
    """What that meter calls itself."""
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        async for advertisement in advertisements:
            if advertisement.address == address:
                return advertisement.name
    raise AssertionError("a scan never ends")


async def hold(radio: Radio, address: str = ADDRESS) -> None:
    """Listen to a bonded cuff; returns when its subscription stands."""
    rearms = radio.counters.rearms
    await radio.hold(address, [BLOOD_PRESSURE])
    await until(lambda: radio.counters.rearms > rearms)


async def wake(bluez: FakeBluez) -> None:
    """The cuff advertises, with nothing to say."""
    await bluez.do("awake", address=ADDRESS, on=True)


@asynccontextmanager
async def linked(radio: Radio, address: str = ADDRESS) -> AsyncIterator[Link]:
    await hear(radio, address)
    async with radio.connect(address) as link:
        yield link


async def orphans(radio: Radio, count: int) -> list[str]:
    """The next *count* frames that came without a link; they are the cuff's."""
    async with asyncio.timeout(LONG_S):
        found = [await radio.orphan() for _ in range(count)]
    assert {(address, frame.characteristic) for address, frame in found} == {
        (ADDRESS, BLOOD_PRESSURE)
    }
    return [frame.octets.hex() for _, frame in found]


async def pour(bluez: FakeBluez, *frames: str, **options: Any) -> None:
    await bluez.do(
        "pour", address=ADDRESS, characteristic=MEASUREMENT, frames=list(frames), **options
    )
