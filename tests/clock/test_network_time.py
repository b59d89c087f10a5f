"""timedated's word on our clock, over a real bus; and a box without a bus, or without timedated."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import network_time
from gateway.clock import OurClock
from tests.clock.fake_timedated import Timedated, timedated
from tests.clock.home import Home
from tests.fakes.private_bus import ENVIRONMENT, private_bus

LONG_S = 30.0  # no test waits for so long unless something is broken


@pytest.fixture
async def bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(network_time, "PAUSE_S", 0.02)
    async with private_bus() as address:
        monkeypatch.setenv(ENVIRONMENT, address)
        yield address


@pytest.fixture
async def service(bus: str) -> AsyncIterator[Timedated]:
    async with timedated(bus) as service:
        yield service


async def test_what_timedated_says_is_believed(home: Home, service: Timedated) -> None:
    async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
        watching = group.create_task(network_time.watch(home.ours))
        while service.asked < 3:  # noqa: ASYNC110 - a question has no event
            await asyncio.sleep(0.01)
        assert not home.ours.trusted
        service.synchronised = True
        await watching
    assert home.ours.source == "ntp"
    assert home.ours.now().trusted


async def test_network_time_that_was_there_is_believed_while_the_line_is_down(
    home: Home, service: Timedated
) -> None:
    service.synchronised = True
    await network_time.watch(home.ours)
    service.synchronised = False
    assert home.ours.trusted


async def test_timesyncds_flag_is_enough(home: Home, service: Timedated) -> None:
    home.synchronise()
    await network_time.watch(home.ours)
    assert service.asked == 0
    assert home.ours.source == "ntp"


async def test_a_clock_that_is_assumed_asks_nobody(service: Timedated) -> None:
    await network_time.watch(OurClock("assume", "Europe/Copenhagen"))
    assert service.asked == 0


async def test_a_bus_without_timedated_says_nothing(bus: str) -> None:
    assert not await network_time.synchronised()


async def test_a_box_without_a_bus_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, f"unix:path={tmp_path / 'nowhere'}")
    assert not await network_time.synchronised()


async def test_a_bus_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    path = tmp_path / "bus"
    monkeypatch.setenv(ENVIRONMENT, f"unix:path={path}")
    monkeypatch.setattr(network_time, "ANSWER_S", 0.1)
    async with await asyncio.start_unix_server(silent, path):
        async with asyncio.timeout(LONG_S):
            assert not await network_time.synchronised()
