"""A virtual home around the machine's own bluetoothd; a new adapter for every scenario."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.radio import Radio
from simulator.home import Home
from simulator.meters.meter import Habits
from tests.vm.bluez import Bluetoothd, Bus, plugged_in, system_bus
from tests.vm.gateway import Gateway, running
from tests.vm.machine.run import MARK

# Nothing hurries an emulated processor: meters are patient, and call less often.
PATIENT = Habits(awake_s=120.0, idle_s=4.0, advertising_ms=150)


def pytest_configure() -> None:
    """Outside there may be a real adapter with real bonds, or none: neither is for tests."""
    if MARK not in Path("/proc/cmdline").read_text(encoding="ascii"):
        raise pytest.UsageError("tests/vm runs in a virtual machine only: ./dev vm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", default="1/1", help="every how manyth scenario, from which on: 1/3")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only the share of this machine. Neighbours take equally long: they go to different ones."""
    first, machines = (int(each) for each in config.getoption("share").split("/"))
    items[:] = items[first - 1 :: machines]


@pytest.fixture(scope="session")
def _daemon() -> Iterator[Bluetoothd]:
    daemon = Bluetoothd()
    yield daemon
    daemon.end()


@pytest.fixture
def bluetoothd(_daemon: Bluetoothd) -> Bluetoothd:
    """One that runs and knows no meter. It serves many scenarios: starting takes it seconds."""
    _daemon.forget_everything()
    if not _daemon.running:
        _daemon.start()
    return _daemon


@pytest.fixture
def habits() -> Habits:
    """Of all meters; a scenario that wants others parametrizes them."""
    return PATIENT


@pytest.fixture
async def home(tmp_path: Path, habits: Habits) -> AsyncIterator[Home]:
    async with Home(tmp_path / "hci", habits) as home:
        yield home


@pytest.fixture
async def adapter(home: Home, bluetoothd: Bluetoothd) -> AsyncIterator[str]:
    """BlueZ's name of the adapter in that home."""
    async with plugged_in(home.air) as adapter:
        yield adapter


@pytest.fixture
async def bus(adapter: str) -> AsyncIterator[Bus]:
    async with system_bus() as bus:
        yield bus


@pytest.fixture
async def radio(adapter: str, tmp_path: Path) -> AsyncIterator[Radio]:
    async with Radio("bluez", adapter, tmp_path) as radio:
        yield radio


@pytest.fixture
async def gateway(adapter: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(tmp_path / "gateway", adapter) as gateway:
        yield gateway
