"""The throw-away authority and broker that tests and the demonstration stand on."""

import os
import stat
from pathlib import Path

import pytest

from simulator.broker import Broker, BrokerError, access_list
from simulator.pki import Authority


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    identity = Authority(tmp_path).client("gw-0123456789")
    assert stat.S_IMODE(identity.key.stat().st_mode) == 0o600


def test_the_key_of_the_authority_is_never_written(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [authority.ca.name]


def test_each_gateway_has_a_block_of_its_own() -> None:
    text = access_list("org1", ["gw-0123456789", "gw-9876543210"], ["receiver-1"])
    users = [line.split()[1] for line in text.splitlines() if line.startswith("user ")]
    assert users == ["gw-0123456789", "gw-9876543210", "receiver-1"]
    assert "@" not in text
    assert "topic write hjemgate/1/org1/gw-9876543210/up/observation" in text


async def test_a_stopped_broker_comes_back_on_its_port(tmp_path: Path) -> None:
    broker = Broker(tmp_path, Authority(tmp_path), "org1", [])
    async with broker:
        first, port = broker.pid, broker.port
        await broker.stop()
        assert broker.pid is None
        await broker.start()
        assert broker.port == port
        assert broker.pid not in (None, first)
    assert first is not None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with Broker(tmp_path / "one", authority, "org1", []) as one:
        identity = tmp_path / "broker.pem"
        identity.write_text("not a certificate")
        await one.stop()
        with pytest.raises(BrokerError, match="its log"):
            await one.start()
