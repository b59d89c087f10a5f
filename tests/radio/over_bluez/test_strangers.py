"""A street full of strangers: heard, counted, and nothing of them is kept."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from gateway.radio import Radio
from tests.fakes.bluez import FakeBluez
from tests.radio.home import LONG_S, until
from tests.radio.over_bluez.home import ADDRESS, wake

STRANGERS = 500
AT_ONCE = 60  # those that the fake has in the air at a time, and a few


def ours(address: str, _services: Sequence[str]) -> bool:
    return address == ADDRESS


async def test_hundreds_of_strangers_leave_nothing_behind(bluez: FakeBluez, radio: Radio) -> None:
    tasks = len(asyncio.all_tasks())
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements(ours)) as advertisements:
        heard = asyncio.ensure_future(anext(advertisements))
        await bluez.do("strangers", per_second=200, fresh_every=1)
        await until(lambda: radio.counters.strangers >= STRANGERS)
        await bluez.do("strangers", per_second=0)
        scan = radio._scan
        assert scan._scanner is not None
        assert len(scan._scanner._backend.seen_devices) <= AT_ONCE
        assert scan.devices == {}
        await wake(bluez)
        assert (await heard).address == ADDRESS
    assert list(scan.devices) == [ADDRESS]
    assert len(asyncio.all_tasks()) <= tasks + 1  # the watcher of bleak's own connection
