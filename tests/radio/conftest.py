"""One home, and one radio in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.radio import Radio
from simulator.home import Home
from tests.radio.home import QUICK, radio_in


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with Home(tmp_path / "hci", QUICK) as home:
        yield home


@pytest_asyncio.fixture
async def radio(home: Home, tmp_path: Path) -> AsyncIterator[Radio]:
    async with radio_in(home, tmp_path / "state") as radio:
        yield radio
