"""What the broker does not take from us, and what we do not take from it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from backend.store import Store, asks, looks, onward, open_database
from backend.store.asks import Wanted
from gateway import contract
from gateway.uplink import Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import (
    GATEWAY,
    NOW,
    ORGANISATION,
    OTHER,
    TOPICS,
    delivery,
    message,
    reading,
)
from tests.backend.running import LONG_S, Receiver
from tests.backend.test_replay import fleet_key


@pytest.fixture
async def deaf(tmp_path: Path, authority: Authority) -> AsyncIterator[Broker]:
    """A broker that lets nobody speak to GATEWAY."""
    broker = running.broker(tmp_path, authority)
    acl = tmp_path / "broker" / "acl"
    acl.write_text(acl.read_text().replace("/+/down/", f"/{OTHER}/down/"))
    async with broker:
        yield broker


async def _noticed(store: Path) -> list[str]:
    database = open_database(store)
    try:
        async with asyncio.timeout(LONG_S):
            while not (notices := looks.overview(database).notices):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
    finally:
        database.close()
    return [f"{each.gateway}: {each.what}" for each in notices]


async def test_what_the_broker_does_not_take_has_not_been_told(
    deaf: Broker, authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    store = Store(open_database(path))
    store.keep([delivery(1)], NOW)
    onward.settle(store.database, 1, "delivered", None, NOW)
    async with Receiver(deaf, authority, path):
        (words,) = await _noticed(path)
    assert words.startswith(f"{GATEWAY}: the broker does not take what we say to it (Not auth")
    assert len(onward.untold(store.database, 9)) == 1
    store.close()


async def test_a_command_that_the_broker_does_not_take_was_not_sent(
    deaf: Broker, authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    database = open_database(path)
    asks.make(database, ORGANISATION, GATEWAY, Wanted("e1", 1), datetime.now(UTC))
    key, _ = fleet_key(tmp_path)
    async with Receiver(deaf, authority, path, "--fleet-key", str(key)):
        await _noticed(path)
    assert database.execute("SELECT sent_at FROM ask") == [(None,)]
    database.close()


def test_one_gateway_that_cannot_be_asked_holds_up_no_other(store: Store) -> None:
    for gateway in (GATEWAY, OTHER):
        asks.make(store.database, ORGANISATION, gateway, Wanted("e1", 1), NOW)
    first = asks.next_to_send(store.database, "care-team", NOW)
    assert first is not None
    second = asks.next_to_send(store.database, "care-team", NOW, {first.gateway})
    assert second is not None
    assert {first.gateway, second.gateway} == {GATEWAY, OTHER}


async def test_a_reading_at_qos_0_is_dropped_with_a_word(
    broker: Broker, authority: Authority, uplink: Uplink, receiver: Receiver
) -> None:
    tls = ssl.create_default_context(cafile=broker.ca)
    other = authority.client(OTHER)
    tls.load_cert_chain(other.certificate, other.key)
    async with aiomqtt.Client(
        *(broker.host, broker.port),
        identifier=OTHER,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=tls,
    ) as careless:
        topic = contract.Topics(ORGANISATION, OTHER).observation
        await careless.publish(topic, message(2, gateway=OTHER).body, qos=0)
        await receiver.says(b"QoS 0")
    async with uplink.connect() as session:
        publication = contract.observation(TOPICS, message(1), 600)
        await running.answers(session, [publication], TOPICS)
    assert [each.id for each in receiver.held()] == [reading(1)]
    database = open_database(receiver.store)
    assert looks.overview(database).dead_letters == 0
    database.close()


@pytest.mark.parametrize("option", ["--org", "--by", "--issuer", "--share"])
async def test_a_name_that_no_message_could_carry_is_said_at_the_start(
    option: str, authority: Authority, tmp_path: Path
) -> None:
    identity = authority.client("receiver-1")
    code, _, errors = await running.tell(
        *("run", "--host", "127.0.0.1", "--ca", str(authority.ca), "--org", "org1"),
        *("--cert", str(identity.certificate), "--key", str(identity.key)),
        *("--store", str(tmp_path / "store.db"), option, "care team"),
    )
    assert (code, errors) == (
        78,
        f"hjemgate-receiver: {option}: expected 1 to 64 letters, digits or . _ -\n",
    )


async def test_a_folder_for_exports_that_is_gone_costs_no_receipt(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    folder = tmp_path / "bundles"
    async with Receiver(broker, authority, tmp_path / "store.db", "--export", str(folder)) as one:
        folder.rmdir()
        async with uplink.connect() as session:
            publication = contract.observation(TOPICS, message(1), 600)
            (receipt,) = await running.answers(session, [publication], TOPICS)
    assert receipt.status == "stored"
    assert b"ERROR --export: a reading is in the store, but not in the folder" in one.errors
