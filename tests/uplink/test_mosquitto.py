"""Against a real broker: mutual TLS, the access list of the contract, sessions, the will."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import contract
from gateway.contract import Publication, Topics
from gateway.uplink import NO_SUBSCRIBERS, Refused, UplinkError
from simulator.broker import Broker
from simulator.pki import Authority, Identity
from tests.uplink.conftest import GATEWAY, ORGANISATION, TOPICS, Up, a_will, an_observation

OTHER = "gw-9876543210"
RECEIVER = "receiver-1"


@pytest.fixture
async def broker(authority: Authority, tmp_path: Path) -> AsyncIterator[Broker]:
    async with Broker(tmp_path, authority, ORGANISATION, [GATEWAY, OTHER], [RECEIVER]) as running:
        yield running


def as_client(identity: Identity) -> dict[str, object]:
    return {"certificate": identity.certificate, "key": identity.key}


async def test_nobody_there_to_hear_is_not_taken_for_delivered(broker: Broker, up: Up) -> None:
    async with up(broker.port).connect() as session:
        assert await session.publish(an_observation()) == NO_SUBSCRIBERS


async def test_a_reading_goes_up_and_a_receipt_comes_down(
    broker: Broker, up: Up, authority: Authority
) -> None:
    care = up(broker.port, **as_client(authority.client(RECEIVER)))
    async with up(broker.port).connect() as home, care.connect() as receiver:
        await home.subscribe(TOPICS.receipt, TOPICS.command)
        await receiver.subscribe(contract.all_observations(ORGANISATION))
        assert await home.publish(an_observation(b"bundle")) == 0
        up_message = await anext(receiver.messages())
        await receiver.publish(Publication(TOPICS.receipt, b"receipt", "application/json"))
        down_message = await anext(home.messages())
    assert (up_message.topic, up_message.body) == (TOPICS.observation, b"bundle")
    assert (up_message.content_type, up_message.retain) == ("application/fhir+json", False)
    assert (down_message.topic, down_message.body) == (TOPICS.receipt, b"receipt")


async def test_a_gateway_may_not_speak_for_another(broker: Broker, up: Up) -> None:
    topic = Topics(ORGANISATION, OTHER).observation
    async with up(broker.port).connect() as session:
        with pytest.raises(UplinkError) as raised:
            await session.publish(Publication(topic, b"{}", "application/fhir+json"))
    assert raised.value.reason_code == 0x87


async def test_a_gateway_hears_nothing_of_another(
    broker: Broker, up: Up, authority: Authority
) -> None:
    care = up(broker.port, **as_client(authority.client(RECEIVER)))
    async with up(broker.port).connect() as home, care.connect() as receiver:
        await home.subscribe(f"hjemgate/1/{ORGANISATION}/+/down/#", TOPICS.receipt)
        theirs = Topics(ORGANISATION, OTHER).receipt
        await receiver.publish(Publication(theirs, b"theirs", "application/json"))
        await receiver.publish(Publication(TOPICS.receipt, b"ours", "application/json"))
        assert (await anext(home.messages())).body == b"ours"


async def test_what_came_down_while_the_broker_was_away_is_kept(
    broker: Broker, up: Up, authority: Authority
) -> None:
    uplink = up(broker.port)
    async with uplink.connect() as home:
        await home.subscribe(TOPICS.receipt)
        assert not home.resumed
    async with up(broker.port, **as_client(authority.client(RECEIVER))).connect() as receiver:
        await receiver.publish(Publication(TOPICS.receipt, b"kept", "application/json"))
    await broker.stop()
    with pytest.raises(UplinkError, match="nobody listens"):
        async with uplink.connect():
            pass
    await broker.start()
    async with uplink.connect() as home:
        assert home.resumed
        assert (await anext(home.messages())).body == b"kept"


async def test_a_message_over_the_limit_of_the_broker_is_refused(broker: Broker, up: Up) -> None:
    async with up(broker.port).connect() as session:
        with pytest.raises(Refused):
            await session.publish(an_observation(bytes(300_000)))
        assert await session.publish(an_observation()) == NO_SUBSCRIBERS


async def test_the_same_certificate_twice_ends_the_older_connection(broker: Broker, up: Up) -> None:
    async with up(broker.port).connect() as first, up(broker.port).connect() as second:
        with pytest.raises(UplinkError) as raised:
            await anext(first.messages())
        assert await second.publish(an_observation()) == NO_SUBSCRIBERS
    assert raised.value.kind == "lost"  # mosquitto 2.0.11 gives no reason; others say 0x8E


async def test_the_status_document_is_retained(
    broker: Broker, up: Up, authority: Authority
) -> None:
    async with up(broker.port).connect() as home:
        await home.publish(a_will())
    async with up(broker.port, **as_client(authority.client(RECEIVER))).connect() as receiver:
        await receiver.subscribe(TOPICS.status)
        message = await anext(receiver.messages())
    assert (message.body, message.retain) == (a_will().body, True)


async def test_a_stranger_is_turned_away_in_plain_words(
    broker: Broker, up: Up, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").client(GATEWAY)
    with pytest.raises(UplinkError, match="does not know the authority") as raised:
        async with up(broker.port, **as_client(stranger)).connect():
            pass
    assert (raised.value.kind, raised.value.slow) == ("tls", True)


async def test_an_expired_certificate_is_named(
    broker: Broker, up: Up, authority: Authority, tmp_path: Path
) -> None:
    old = authority.client("gw-expired000", timedelta(hours=-1))
    with pytest.raises(UplinkError, match="out of date"):
        async with up(broker.port, **as_client(old)).connect():
            pass


async def test_a_broker_that_we_do_not_know_is_not_believed(
    broker: Broker, up: Up, tmp_path: Path
) -> None:
    with pytest.raises(UplinkError, match="not by the authority in"):
        async with up(broker.port, ca=Authority(tmp_path / "other").ca).connect():
            pass


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "nonesuch.invalid"}, "no such name"),
        ({"host": "x" * 64 + ".invalid"}, "no such name"),
        ({"ca": Path("/nonesuch.pem")}, "nonesuch.pem: No such file"),
        ({"key": Path("/nonesuch.key")}, "nonesuch.key: No such file"),
    ],
)
async def test_what_is_wrong_with_our_settings_is_said(
    broker: Broker, up: Up, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(UplinkError, match=words):
        async with up(broker.port, **settings).connect():
            pass


async def test_certificate_and_key_must_belong_together(
    broker: Broker, up: Up, authority: Authority
) -> None:
    with pytest.raises(UplinkError, match="do not belong together"):
        async with up(broker.port, key=authority.client(OTHER).key).connect():
            pass


async def test_a_thousand_messages_go_through(broker: Broker, up: Up) -> None:
    async with up(broker.port).connect() as session, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(session.publish(an_observation(b"%d" % n)), name=f"publish {n}")
            for n in range(1000)
        ]
    assert {task.result() for task in tasks} == {NO_SUBSCRIBERS}
