"""The receiver as its users run it: a process, a real broker, a real gateway's uplink."""

import asyncio
import hashlib
import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import aiomqtt
import pytest

from backend import link
from backend.store import dead_letters, onward, open_database
from gateway import contract
from gateway.contract import Publication, Receipt, Topics
from gateway.model import Message
from gateway.uplink import Uplink, UplinkError
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import GATEWAY, OTHER, TOPICS, message, reading
from tests.backend.running import LONG_S, Receiver

MESSAGE = message()
OBSERVATION = contract.observation(TOPICS, MESSAGE, 600)


def with_body(body: bytes) -> Message:
    return replace(MESSAGE, body=body, sha256=hashlib.sha256(body).hexdigest())


async def answers(uplink: Uplink, *publications: Publication) -> Sequence[Receipt]:
    async with uplink.connect() as session:
        return await running.answers(session, publications, TOPICS)


async def test_a_reading_is_stored_exported_and_confirmed(
    uplink: Uplink, receiver: Receiver, tmp_path: Path
) -> None:
    (receipt,) = await answers(uplink, OBSERVATION)
    assert (receipt.id, receipt.sha256, receipt.status) == (MESSAGE.id, MESSAGE.sha256, "stored")
    assert receipt.by == "receiver-1"
    (row,) = receiver.held()
    assert (row.body, row.seq, row.deliveries) == (MESSAGE.body, 1, 1)
    assert (tmp_path / "bundles" / f"{MESSAGE.id}-v1.json").read_bytes() == MESSAGE.body


async def test_the_same_again_is_a_duplicate(uplink: Uplink, receiver: Receiver) -> None:
    receipts = await answers(uplink, OBSERVATION, OBSERVATION)
    assert [receipt.status for receipt in receipts] == ["stored", "duplicate"]
    (row,) = receiver.held()
    assert row.deliveries == 2


async def test_other_octets_under_the_same_name_are_rejected(
    uplink: Uplink, receiver: Receiver
) -> None:
    other = message(systolic="140")
    _, receipt = await answers(uplink, OBSERVATION, contract.observation(TOPICS, other, 600))
    assert (receipt.status, receipt.sha256) == ("rejected", other.sha256)
    assert [row.body for row in receiver.held()] == [MESSAGE.body]


BAD = {
    "no Bundle": (b"{}", "body: not a FHIR Bundle"),
    "half a Bundle": (MESSAGE.body[:500], "body: not JSON"),
    "a name twice": (
        MESSAGE.body.replace(b'"type":"tr', b'"type":"batch","type":"tr', 1),
        "body: a name stands twice in one object",
    ),
    "a number as a string": (
        MESSAGE.body.replace(b'"value":121', b'"value":"121"'),
        "body: valueQuantity.value is not a number",
    ),
    "another gateway's": (
        MESSAGE.body.replace(GATEWAY.encode(), OTHER.encode()),
        "body: its PhgDevice is not the gateway of the topic",
    ),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_input_is_rejected_with_a_reason_and_is_a_dead_letter(
    what: str, uplink: Uplink, receiver: Receiver
) -> None:
    body, reason = BAD[what]
    (receipt,) = await answers(uplink, contract.observation(TOPICS, with_body(body), 600))
    assert (receipt.status, receipt.reason) == ("rejected", reason)
    database = open_database(receiver.store)
    (letter,) = dead_letters.listed(database)
    kept = dead_letters.body(database, letter.number)
    database.close()
    assert (kept, letter.reason, letter.topic) == (body, reason, TOPICS.observation)


async def test_what_cannot_be_answered_is_a_dead_letter(uplink: Uplink, receiver: Receiver) -> None:
    nameless = replace(OBSERVATION, properties=())
    async with uplink.connect() as session:
        assert await session.publish(nameless) == 0
        await receiver.says(b"rejected")
        assert await session.publish(replace(OBSERVATION, topic=TOPICS.status, retain=True)) == 0
        await receiver.says(b"not understood")
    database = open_database(receiver.store)
    topics = [letter.topic for letter in dead_letters.listed(database)]
    database.close()
    assert topics == [TOPICS.observation, TOPICS.status]


def deep(levels: int) -> bytes:
    """The reading, with extensions in one another."""
    inner = b'"extension":[{"url":"urn:x",' * levels + b'"valueString":"x"' + b"}]" * levels
    return MESSAGE.body.replace(b'"manufacturer":', inner + b',"manufacturer":', 1)


async def test_no_message_stops_those_that_come_after_it(
    uplink: Uplink, receiver: Receiver
) -> None:
    status = {"online": True, "at": "0001-01-01T00:00:00+14:00", "gateway": GATEWAY, "version": "1"}
    reply = {"id": str(reading(1)), "gateway": GATEWAY, "status": "done"}
    turned = {**reply, "result": {"again": 0, "waiting": 0, "gone": [[9, 2]]}}
    poison = [
        contract.observation(TOPICS, with_body(deep(120)), 600),
        contract.observation(TOPICS, with_body(deep(3000)), 600),
        Publication(TOPICS.status, json.dumps(status).encode(), "application/json", retain=True),
        Publication(TOPICS.reply, json.dumps(turned).encode(), "application/json"),
    ]
    async with uplink.connect() as session:
        for publication in poison:
            assert await session.publish(publication) == 0
        async with asyncio.timeout(LONG_S):
            while len(_letters(receiver)) < len(poison):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
    await receiver.kill()
    await receiver.start()
    async with uplink.connect() as session, asyncio.timeout(LONG_S):
        await session.subscribe(TOPICS.receipt)
        await session.publish(contract.observation(TOPICS, message(2), 600))
        async for incoming in session.messages():  # what was not acknowledged comes again first
            receipts = contract.parse_receipts(incoming.body).receipts
            if said := [each.status for each in receipts if each.id == reading(2)]:
                break
    assert said == ["stored"]


def _letters(receiver: Receiver) -> list[str]:
    database = open_database(receiver.store)
    reasons = [letter.reason for letter in dead_letters.listed(database)]
    database.close()
    return reasons


async def test_a_gateway_cannot_speak_for_another(
    broker: Broker, authority: Authority, receiver: Receiver
) -> None:
    async with running.uplink(broker, authority, OTHER).connect() as session:
        with pytest.raises(UplinkError, match="not authorised"):
            await session.publish(OBSERVATION)
    assert receiver.held() == []


async def test_a_payload_of_a_megabyte_reaches_nobody(
    uplink: Uplink, broker: Broker, authority: Authority, receiver: Receiver
) -> None:
    tls = ssl.create_default_context(cafile=broker.ca)
    other = authority.client(OTHER)
    tls.load_cert_chain(other.certificate, other.key)
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client(
            *(broker.host, broker.port),
            identifier=OTHER,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=tls,
            timeout=5,
        ) as careless:  # it does not look at the broker's limit, as ours does
            await careless.publish(Topics("org1", OTHER).observation, bytes(1_000_000), qos=1)
    (receipt,) = await answers(uplink, OBSERVATION)
    assert receipt.status == "stored"


async def test_undeliverable_readings_are_named_among_the_dead_letters(
    uplink: Uplink, receiver: Receiver
) -> None:
    await answers(uplink, OBSERVATION)
    database = open_database(receiver.store)
    onward.settle(database, 1, "undeliverable", "no such patient", datetime.now(UTC))
    database.close()
    store = ("--store", receiver.store)
    code, output, _ = await running.tell("dead-letters", *store)
    assert (code, f"{GATEWAY}  {MESSAGE.id} version 1: no such patient" in output) == (0, True)
    code, output, _ = await running.tell("status", *store)
    assert (code, "! could not be handed on: 1;" in output) == (1, True)
    await running.tell("dead-letters", "--again", *store)
    assert (await running.tell("status", "--seen", *store))[0] == 0


async def test_it_comes_back_when_the_broker_does(
    uplink: Uplink, receiver: Receiver, broker: Broker
) -> None:
    await broker.stop()
    await receiver.says(b"trying again")
    await broker.start()
    await receiver.says(b"listening")
    (receipt,) = await answers(uplink, OBSERVATION)
    assert receipt.status == "stored"


async def test_readings_wait_at_the_broker_for_a_receiver_that_is_away(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    async with Receiver(broker, authority, store):
        pass
    async with uplink.connect() as session:
        await session.subscribe(TOPICS.receipt)
        await session.publish(OBSERVATION)
        async with Receiver(broker, authority, store), asyncio.timeout(LONG_S):
            incoming = await anext(session.messages())
    assert contract.parse_receipts(incoming.body).receipts[0].status == "stored"


async def test_a_thousand_readings_are_confirmed_one_by_one(
    uplink: Uplink, receiver: Receiver
) -> None:
    confirmed: set[UUID] = set()
    async with uplink.connect() as session, asyncio.timeout(120), asyncio.TaskGroup() as group:
        await session.subscribe(TOPICS.receipt)
        for number in range(1, 1001):
            publication = contract.observation(TOPICS, message(number), 600)
            group.create_task(session.publish(publication), name=f"publish {number}")
        async for incoming in session.messages():
            receipts = contract.parse_receipts(incoming.body).receipts
            confirmed.update(receipt.id for receipt in receipts)
            if len(confirmed) == 1000:
                break
    assert confirmed == {reading(number) for number in range(1, 1001)}
    assert sum(row.deliveries for row in receiver.held()) == 1000


async def test_of_a_broker_that_sends_too_much_no_more_is_kept_and_nothing_is_lost(
    uplink: Uplink,
    broker: Broker,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Receive Maximum is far above what this receiver is willing to hold."""
    monkeypatch.setattr(link, "MOST_IN_HAND", 30)
    most = 0

    class Watched(link.Link):
        async def arrived(self, most_: int) -> Sequence[aiomqtt.Message]:
            nonlocal most
            most = max(most, self._in_hand)
            return await super().arrived(most_)

    monkeypatch.setattr("backend.receiver.Link", Watched)
    store = tmp_path / "store.db"
    async with Receiver(broker, authority, store):
        pass  # its session at the broker is there, and waits
    async with uplink.connect() as session:
        await session.subscribe(TOPICS.receipt)
        for number in range(1, 301):
            await session.publish(contract.observation(TOPICS, message(number), 600))
        said: list[Receipt] = []
        async with running.in_process(broker, authority, store), asyncio.timeout(LONG_S):
            async for incoming in session.messages():
                said += contract.parse_receipts(incoming.body).receipts
                if len({receipt.id for receipt in said}) == 300:
                    break
    assert [each.id for each in said] == [reading(number) for number in range(1, 301)]
    assert ({each.status for each in said}, most) == ({"stored"}, 30)


async def test_the_service_manager_hears_that_it_runs_and_is_not_stuck(
    broker: Broker, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(LONG_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        async with Receiver(broker, authority, tmp_path / "store.db"):
            said = [await asyncio.to_thread(manager.recv, 100) for _ in range(4)]
        assert said == [b"READY=1", *[b"WATCHDOG=1"] * 3]


async def test_wrong_files_are_named_and_end_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    code, _, errors = await running.tell(
        *("run", "--host", "127.0.0.1", "--ca", missing, "--cert", missing, "--key", missing),
        *("--store", str(tmp_path / "s.db"), "--org", "o"),
    )
    assert (code, "No such file" in errors) == (78, True)


async def test_a_wrong_word_is_said_with_the_usage(tmp_path: Path) -> None:
    code, _, errors = await running.tell("walk")
    assert (code, "usage: hjemgate-receiver" in errors) == (64, True)


async def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    code, _, errors = await running.tell("status", "--store", str(tmp_path / "s.db"))
    assert (code, errors) == (
        69,
        f"hjemgate-receiver: {tmp_path}/s.db: no such store; `run` makes it\n",
    )


async def test_status_and_dead_letters_say_what_needs_somebody(
    uplink: Uplink, receiver: Receiver
) -> None:
    seven = contract.observation(TOPICS, message(7), 600)
    rubbish = contract.observation(TOPICS, replace(with_body(b"{}"), seq=8), 600)
    await answers(uplink, OBSERVATION, seven, seven, rubbish)
    store = ("--store", receiver.store)
    code, output, _ = await running.tell("status", *store)
    assert (code, "held:           2 readings; 0 copies, 1 repeats" in output) == (1, True), output
    assert f"! {GATEWAY}, epoch e1: 2-6 has not come since" in output
    assert "! dead letters: 1;" in output
    facts = json.loads((await running.tell("status", "--json", *store))[1])
    assert (facts["readings"], facts["waiting"], len(facts["needs"])) == (2, 2, 2)
    code, output, _ = await running.tell("dead-letters", *store)
    assert (code, "body: not a FHIR Bundle" in output) == (0, True)
    letters = json.loads((await running.tell("dead-letters", "--json", *store))[1])
    number = letters["dead_letters"][0]["number"]
    assert (await running.tell("dead-letters", "--show", str(number), *store))[1] == "{}"
    assert (await running.tell("dead-letters", "--discard", str(number), *store))[0] == 0
    assert (await running.tell("dead-letters", *store))[1] == "No dead letters.\n"
