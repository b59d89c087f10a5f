"""What a radio hears, and what it makes of the rest."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from drivers.api import sig_uuid
from gateway.link import Counters, Newest
from gateway.radio import Limits, Radio
from simulator.home import Home
from tests.radio.home import LONG_S, QUICK, heard, linked, radio_in, until

BLOOD_PRESSURE_SERVICE = sig_uuid(0x1810)


async def test_an_advertisement_says_address_name_and_services(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        advertisement = await anext(advertisements)
    assert advertisement.address == home.cuff.identity.address
    assert advertisement.name == "BP-SIM"
    assert advertisement.services == {BLOOD_PRESSURE_SERVICE}


async def test_a_meter_without_news_is_not_heard(home: Home, radio: Radio) -> None:
    home.scale.measure()
    await heard(radio, home.scale)
    assert radio.counters.heard == 1


async def test_strangers_are_counted_and_go_no_further(home: Home, radio: Radio) -> None:
    def scales(_address: str, services: Sequence[str]) -> bool:
        return "0000181d-0000-1000-8000-00805f9b34fb" in services

    home.cuff.measure()
    home.thermometer.measure()
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements(scales)) as advertisements:
        first = asyncio.ensure_future(anext(advertisements))
        await until(lambda: radio.counters.strangers >= 4)
        home.scale.measure()
        assert (await first).address == home.scale.identity.address
    assert radio.counters.heard > radio.counters.strangers
    assert radio.counters.silent_s() is not None


async def test_the_scan_goes_on_while_a_link_stands(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        home.scale.measure()
        await heard(radio, home.scale)
        assert link.connected


async def test_an_adapter_that_is_absent_at_first_is_tried_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "hci", QUICK)
    async with radio_in(home, tmp_path / "state") as radio:
        waiting = asyncio.ensure_future(heard(radio, home.cuff))
        await until(lambda: radio.counters.scan_errors >= 2)
        async with home:
            home.cuff.measure()
            await waiting


async def test_a_scan_that_hears_nobody_at_all_is_started_anew(home: Home, tmp_path: Path) -> None:
    limits = Limits(pause_s=0.05, silence_s=0.1)
    async with (
        asyncio.timeout(LONG_S),
        radio_in(home, tmp_path / "state", limits) as radio,
        aclosing(radio.advertisements()) as advertisements,
    ):
        home.scale.measure()
        await anext(advertisements)
        home.air.cut()
        home.cuff.measure()
        while (await anext(advertisements)).address != home.cuff.identity.address:
            pass
        assert radio.counters.scans > 1
        assert radio.counters.scan_errors == 0


async def test_the_newest_of_each_address_is_kept_and_not_too_many() -> None:
    counters = Counters()
    newest: Newest[int] = Newest(counters, size=2)
    for address, thing in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        newest.put(address, thing)
    assert [newest.take(), newest.take(), newest.take()] == [2, 4, None]
    assert counters.overrun == 1
