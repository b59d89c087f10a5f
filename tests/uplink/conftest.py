"""One authority for all tests here, and a way up to any port."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway import contract
from gateway.config import Broker
from gateway.contract import Offline, Publication, Topics
from gateway.uplink import Uplink
from simulator.pki import Authority, Identity

ORGANISATION = "org1"
GATEWAY = "gw-0123456789"
TOPICS = Topics(ORGANISATION, GATEWAY)

Up = Callable[..., Uplink]


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

    def make(port: int, puback_s: float = 5.0, **settings: object) -> Uplink:
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


def a_will() -> Publication:
    offline = Offline(at=datetime(2026, 11, 25, 8, 0, tzinfo=UTC), gateway=GATEWAY, version="0.1.0")
    return contract.will(TOPICS, offline)
