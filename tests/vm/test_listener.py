"""What a bonded meter says before anybody is ready for it: every row of research, on real BlueZ."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from drivers.api import LinkError, sig_uuid
from gateway.radio import Link, Radio
from simulator.home import Home
from tests.vm.bluez import Bluetoothd, Bus, powered
from tests.vm.eager import Eager, eager
from tests.vm.gateway import LONG_S, Gateway, until

log = logging.getLogger(__name__)

BLOOD_PRESSURE = sig_uuid(0x2A35)
MANY = 20
SEVERAL = 4


@pytest.fixture
async def cuff(home: Home) -> AsyncIterator[Eager]:
    async with eager(home.cuff) as cuff:
        yield cuff


async def hear(radio: Radio, address: str) -> None:
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        async for advertisement in advertisements:
            if advertisement.address == address:
                return


@asynccontextmanager
async def linked(radio: Radio, home: Home) -> AsyncIterator[Link]:
    address = home.cuff.identity.address
    await hear(radio, address)
    async with radio.connect(address) as link:
        yield link


async def bond(radio: Radio, home: Home) -> None:
    """With the cuff, which is in pairing mode."""
    home.cuff.wake()
    await radio.expect({home.cuff.identity.address: None})
    async with linked(radio, home) as link:
        await link.bond()
    await radio.expect({})


async def hold(radio: Radio, home: Home) -> None:
    rearms = radio.counters.rearms
    await radio.hold(home.cuff.identity.address, [BLOOD_PRESSURE])
    await rearmed(radio, rearms)


async def rearmed(radio: Radio, before: int) -> None:
    async def anew() -> bool:
        return radio.counters.rearms > before

    await until(anew)


async def orphan(radio: Radio) -> bytes:
    async with asyncio.timeout(LONG_S):
        _, frame = await radio.orphan()
    return frame.octets


async def test_where_nobody_listens_its_word_is_confirmed_and_gone(
    home: Home, radio: Radio, cuff: Eager
) -> None:
    """Not ours to mend, but the reason for all that follows: if this fails, BlueZ has changed."""
    await bond(radio, home)
    lost = cuff.measure()
    async with linked(radio, home) as link:
        await link.subscribe(BLOOD_PRESSURE)
        await asyncio.sleep(1)
        assert [octets for octets, _ in cuff.confirmed] == [lost]
        assert link.rest() == []


async def test_each_of_many_readings_is_heard_once(home: Home, radio: Radio, cuff: Eager) -> None:
    await bond(radio, home)
    await hold(radio, home)
    for _ in range(MANY):
        octets = cuff.measure()
        async with linked(radio, home) as link:
            await link.subscribe(BLOOD_PRESSURE)
            assert await orphan(radio) == octets
    assert radio.orphans_left() == []


@pytest.mark.parametrize("after_s", [0.0, 0.3])
async def test_one_that_hangs_up_at_once_is_heard_each_time(
    home: Home, radio: Radio, cuff: Eager, after_s: float
) -> None:
    await bond(radio, home)
    await hold(radio, home)
    cuff.hang_up_s = after_s
    for _ in range(SEVERAL):
        octets = cuff.measure()
        await brief(radio, home)
        assert await orphan(radio) == octets
    assert radio.orphans_left() == []


async def test_after_connects_that_were_cut_short_nothing_is_lost(
    home: Home, radio: Radio, cuff: Eager
) -> None:
    await bond(radio, home)
    await hold(radio, home)
    for _ in range(SEVERAL):
        cuff.rude = True
        cuff.call()
        await brief(radio, home)
        cuff.rude = False
        octets = cuff.measure()
        await brief(radio, home)
        assert await orphan(radio) == octets


async def test_after_the_adapter_was_down_nothing_is_lost(
    home: Home, adapter: str, bus: Bus, radio: Radio, cuff: Eager
) -> None:
    await bond(radio, home)
    await hold(radio, home)
    rearms = radio.counters.rearms
    await bus.power(adapter, False)
    await bus.power(adapter, True)
    await rearmed(radio, rearms)
    octets = cuff.measure()
    async with linked(radio, home):
        assert await orphan(radio) == octets


async def test_after_a_session_a_meter_that_heeds_the_switch_waits_for_the_next(
    home: Home, radio: Radio
) -> None:
    await bond(radio, home)
    await hold(radio, home)
    for number in range(SEVERAL):
        home.cuff.measure()
        async with linked(radio, home) as link:
            await link.subscribe(BLOOD_PRESSURE)
            assert await once(radio, link) == home.cuff.measured[number].frames[0].octets
    assert radio.orphans_left() == []
    assert home.cuff.collected == home.cuff.measured


async def test_after_bluetoothd_was_killed_only_the_first_word_of_an_eager_meter_may_be_lost(
    home: Home, bluetoothd: Bluetoothd, radio: Radio, cuff: Eager
) -> None:
    """A new bluetoothd has the bond, and no attributes to subscribe to until the first connect."""
    await bond(radio, home)
    await hold(radio, home)
    await bluetoothd.kill()
    bluetoothd.start()
    await powered()
    cuff.measure()
    async with linked(radio, home):
        await asyncio.sleep(1)
    log.info("the first word: %s", "heard" if radio.orphans_left() else "lost")
    for _ in range(2):
        octets = cuff.measure()
        async with linked(radio, home):
            assert await orphan(radio) == octets


async def test_after_bluetoothd_was_killed_a_meter_that_heeds_the_switch_loses_nothing(
    home: Home, bluetoothd: Bluetoothd, radio: Radio
) -> None:
    await bond(radio, home)
    await hold(radio, home)
    for number in range(2):
        await bluetoothd.kill()
        bluetoothd.start()
        await powered()
        home.cuff.measure()
        async with linked(radio, home) as link:
            await link.subscribe(BLOOD_PRESSURE)
            assert await once(radio, link) == home.cuff.measured[number].frames[0].octets
    assert home.cuff.collected == home.cuff.measured


async def test_the_whole_gateway_stores_each_once_and_at_once(
    home: Home, gateway: Gateway, cuff: Eager
) -> None:
    cuff.call()
    await gateway.add(home.cuff)
    said = []
    for number in range(1, SEVERAL):
        await gateway.until("SELECT count(*) FROM sessions WHERE ended_at NOT NULL", (number,))
        revision = gateway.store.revision
        said.append(cuff.measure())
        await gateway.store.changed(revision)  # the first commit of all: the frame's
        committed = gateway.store.committed_at
        await gateway.until_readings(number)
        _, confirmed = cuff.confirmed[-1]
        log.info("from the confirmation to the commit: %.1f ms", (committed - confirmed) * 1000)
    assert await gateway.octets() == said


async def brief(radio: Radio, home: Home) -> None:
    """A connection to a meter that may not stay for it."""
    try:
        async with linked(radio, home):
            await asyncio.sleep(0.5)
    except LinkError as error:
        log.info("%s", error)


async def once(radio: Radio, link: Link) -> bytes:
    """The next frame, by the link or before it was ready."""
    heard: list[bytes] = []

    async def one() -> bool:
        heard.extend(frame.octets for _, frame in radio.orphans_left())
        heard.extend(frame.octets for frame in link.rest())
        return bool(heard)

    await until(one)
    (octets,) = heard
    return octets
