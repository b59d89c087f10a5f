from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backend.store import Store, open_database
from gateway.uplink import Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.postgres import Postgres, server
from tests.backend.running import Receiver


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    opened = Store(open_database(address))
    yield opened
    opened.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
async def broker(tmp_path: Path, authority: Authority) -> AsyncIterator[Broker]:
    async with running.broker(tmp_path, authority) as started:
        yield started


@pytest.fixture
def uplink(broker: Broker, authority: Authority) -> Uplink:
    return running.uplink(broker, authority)


@pytest.fixture
async def receiver(broker: Broker, authority: Authority, tmp_path: Path) -> AsyncIterator[Receiver]:
    export = str(tmp_path / "bundles")
    started = Receiver(broker, authority, tmp_path / "store.db", "--export", export)
    async with started:
        yield started
