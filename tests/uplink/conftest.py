"""One authority for all tests here, and a way up to any port."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import contract
from gateway.config import Broker
from gateway.contract import Offline, Publication, Topics
from gateway.uplink import Uplink
from simulator.pki import Authority, Identity
from tests.outbox.house import House
from tests.uplink.line import Line
from tests.uplink.scripted_broker import Script, ScriptedBroker

ORGANISATION = "org1"
GATEWAY = "gw-0123456789"
TOPICS = Topics(ORGANISATION, GATEWAY)

Up = Callable[..., Uplink]
Serve = Callable[[Script], AbstractAsyncContextManager[ScriptedBroker]]


def an_observation(body: bytes = b"{}") -> Publication:
    return Publication(TOPICS.observation, body, "application/fhir+json", (("seq", "1"),), 60)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def identity(authority: Authority) -> Identity:
    return authority.client(GATEWAY)


@pytest.fixture
def up(authority: Authority, identity: Identity) -> Up:
    """A gateway's uplink to a port of this machine; settings can be changed."""

    def make(port: int, puback_s: float = 30.0, **settings: object) -> Uplink:
        ours = {
            "host": "127.0.0.1",
            "port": port,
            "ca": authority.ca,
            "certificate": identity.certificate,
            "key": identity.key,
        }
        broker = Broker.model_validate({**ours, **settings})
        return Uplink(broker, GATEWAY, a_will, puback_s)

    return make


@pytest.fixture
def serve(authority: Authority) -> Serve:
    @asynccontextmanager
    async def served(script: Script) -> AsyncIterator[ScriptedBroker]:
        async with ScriptedBroker(authority, script) as broker:
            yield broker

    return served


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def line(house: House, monkeypatch: pytest.MonkeyPatch) -> Line:
    """One that has been running for a while."""
    monkeypatch.setattr("gateway.conditions.SETTLING", timedelta(0))
    return Line(house, cap_s=900.0)


def a_will() -> Publication:
    offline = Offline(at=datetime(2026, 11, 25, 8, 0, tzinfo=UTC), gateway=GATEWAY, version="0.1.0")
    return contract.will(TOPICS, offline)
