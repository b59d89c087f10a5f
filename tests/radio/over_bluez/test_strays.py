"""From a meter that speaks too soon to the rows: at once, each once, in one session."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.api import Driver
from drivers.registry import all_drivers
from gateway.collect import Collect
from gateway.live import RadioFacts
from gateway.onlookers import Onlookers
from gateway.outbox.database import Database
from gateway.pairing_window import Windows
from gateway.radio import Radio
from gateway.strays import Strays
from tests.fakes.bluez import FakeBluez
from tests.outbox.house import House
from tests.radio.home import LONG_S, until
from tests.radio.over_bluez.home import ADDRESS, MEASUREMENT, pour, wake

# 120/80 mmHg, mean 93, at 24 November 2026, 12:00 or so by the meter's clock
FRAMES = [f"02780050005d00ea070b180c{minute:02x}00" for minute in range(6)]
QUIET_S = 0.2
ENDLESS = 3000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@asynccontextmanager
async def collecting(
    house: House, radio: Radio, drivers: Mapping[str, Driver]
) -> AsyncIterator[None]:
    """A gateway that has a bonded cuff, and listens to it."""
    await house.meter(address=ADDRESS)
    windows, onlookers = Windows(radio.expect), Onlookers(drivers)
    collect = Collect(house.store, radio, drivers, house.ours, RadioFacts(), windows, onlookers)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect.run(), name="collect")
        await until(lambda: radio.counters.rearms > 0)
        yield
        task.cancel()


@pytest.fixture
async def collect(house: House, radio: Radio) -> AsyncIterator[None]:
    async with collecting(house, radio, all_drivers()):
        yield


async def rows(house: House, sql: str) -> list[tuple[Any, ...]]:
    return await house.store(lambda db: db.execute(sql).fetchall())


async def octets(house: House) -> list[str]:
    def frames(db: Database) -> list[str]:
        found = db.execute("SELECT id, octets FROM frames ORDER BY id").fetchall()
        return [db.open("frames", row, "octets", sealed).hex() for row, sealed in found]

    return await house.store(frames)


async def row(house: House, count: str, expected: int = 1) -> None:
    """Until the query *count* gives that number."""
    async with asyncio.timeout(LONG_S):
        while await rows(house, count) != [(expected,)]:  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0.02)


async def kept(house: House, count: int) -> None:
    await row(house, "SELECT count(*) FROM frames", count)


@pytest.mark.usefixtures("collect")
async def test_a_word_too_soon_and_one_in_time_are_of_one_session(
    bluez: FakeBluez, house: House
) -> None:
    await pour(bluez, *FRAMES[:2], eager=True)
    await pour(bluez, *FRAMES[2:], hang_up_s=0.0, after_s=0.2)
    await kept(house, 6)
    assert await octets(house) == FRAMES
    assert await rows(house, "SELECT count(DISTINCT session_id) FROM frames") == [(1,)]


@pytest.mark.usefixtures("collect")
async def test_a_meter_that_hangs_up_at_once_has_its_word_on_disk(
    bluez: FakeBluez, house: House
) -> None:
    await pour(bluez, FRAMES[0], eager=True, hang_up_s=0.0)
    await kept(house, 1)
    assert await octets(house) == FRAMES[:1]


async def test_a_session_without_a_conversation_ends_when_it_is_quiet(
    bluez: FakeBluez, radio: Radio, house: House
) -> None:
    device = await house.meter(address=ADDRESS)
    async with listening(radio, house, lambda _: device):
        for frame in FRAMES[:2]:
            await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=frame)
        await kept(house, 2)
        await row(house, "SELECT count(*) FROM sessions WHERE outcome LIKE 'heard without%'")
        await house.settle()
    assert await rows(house, "SELECT count(*) FROM readings") == [(2,)]


async def test_what_is_heard_at_the_very_end_is_stored(
    bluez: FakeBluez, radio: Radio, house: House
) -> None:
    device = await house.meter(address=ADDRESS)
    async with listening(radio, house, lambda _: device) as task:
        for frame in FRAMES:
            await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=frame)
        await until(lambda: radio.counters.orphans == len(FRAMES))
        task.cancel()
    await kept(house, len(FRAMES))
    assert await octets(house) == FRAMES


async def test_what_waits_for_another_to_be_done_with_the_disk_is_stored_at_the_end(
    bluez: FakeBluez, radio: Radio, house: House
) -> None:
    device = await house.meter(address=ADDRESS)
    strays = Strays(house.store, radio, house.ours, lambda _: device)
    go_on = threading.Event()
    async with hearing(radio, strays) as task:
        house.store.post(lambda _: go_on.wait())
        beginning = asyncio.create_task(strays.begin(device))  # a link that was made meanwhile
        for frame in FRAMES:
            await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=frame)
        await until(lambda: radio.counters.orphans == len(FRAMES))
        task.cancel()
    go_on.set()
    await beginning
    await kept(house, len(FRAMES))
    assert await octets(house) == FRAMES


async def test_a_meter_that_was_forgotten_leaves_no_row(
    bluez: FakeBluez, radio: Radio, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(radio, house, lambda _: None):
        await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=FRAMES[0])
        await until(lambda: "forgotten" in caplog.text)
    assert await octets(house) == []


async def test_a_device_that_never_stops_is_hung_up_on_and_the_radio_goes_on(
    bluez: FakeBluez, house: House, radio: Radio
) -> None:
    cuff = all_drivers()["sig_blood_pressure"]
    hasty = {cuff.name: replace(cuff, session_s=0.3)}
    async with collecting(house, radio, hasty):
        await pour(bluez, *FRAMES[:1] * ENDLESS, interval_s=0.002)
        await row(house, "SELECT count(*) FROM sessions WHERE outcome LIKE '%not over after%'")
        heard = radio.counters.heard
        await wake(bluez)
        await until(lambda: radio.counters.heard > heard)


@asynccontextmanager
async def listening(
    radio: Radio, house: House, device_at: Callable[[str], int | None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Only what takes strays to the rows."""
    strays = Strays(house.store, radio, house.ours, device_at, QUIET_S)
    async with hearing(radio, strays) as task:
        yield task


@asynccontextmanager
async def hearing(radio: Radio, strays: Strays) -> AsyncIterator[asyncio.Task[None]]:
    rearms = radio.counters.rearms
    await radio.hold(ADDRESS, all_drivers()["sig_blood_pressure"].data)
    await until(lambda: radio.counters.rearms > rearms)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(strays.run(), name="strays")
        yield task
        task.cancel()
