"""A private bus, a small bluetoothd with a bonded cuff, and a radio over bleak's own backend."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.radio import Radio
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus
from tests.radio.over_bluez.home import BONDED, IMPATIENT, radio_at


@pytest.fixture
async def bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with private_bus() as address:
        monkeypatch.setenv(ENVIRONMENT, address)
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[FakeBluez]:
    async with fake_bluez(bus) as fake:
        await fake.do("meter", **BONDED)
        yield fake


@pytest.fixture
async def radio(tmp_path: Path, bluez: FakeBluez) -> AsyncIterator[Radio]:
    async with radio_at(tmp_path) as radio:
        yield radio


@pytest.fixture
async def impatient(tmp_path: Path, bluez: FakeBluez) -> AsyncIterator[Radio]:
    """One for which everything that takes long has failed."""
    async with radio_at(tmp_path, limits=IMPATIENT) as radio:
        yield radio
