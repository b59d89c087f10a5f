"""What comes down is hostile until proved: it changes no row that it should not, and is counted."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gateway.contract import Topics
from gateway.contract.base import MAX_DOWN
from gateway.outbox.receipts import WORDS_AT_MOST
from tests.orders.test_orders import Fleet
from tests.outbox.house import House
from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import Serve, Up
from tests.uplink.line import TOPICS, Line
from tests.uplink.scripted_broker import Connection, Script, ScriptedBroker

JSON = "application/json"
OTHER = Topics("org1", "gw-0000000000")


async def receipt(house: House, **but: Any) -> dict[str, Any]:
    """A good receipt for the first reading; *but* forges parts of it."""
    ((public_id, digest),) = await house.rows("SELECT public_id, sha256 FROM readings WHERE id = 1")
    return {
        "id": public_id,
        "epoch": house.store.epoch,
        "sha256": digest,
        "by": "care",
        "status": "stored",
        "at": "2026-11-24T11:05:00Z",
        **but,
    }


def message(*receipts: dict[str, Any]) -> bytes:
    return json.dumps({"receipts": receipts}).encode()


async def connected(broker: ScriptedBroker, line: Line) -> Connection:
    """Once every reading is published."""
    await line.up()
    await line.until_states(*["published"] * len(await line.house.states()))
    return broker.connections[-1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"receipts": []}',
        b'{"receipts": [{"id": 1}]}',
        b" " * (MAX_DOWN + 1),
        b"x" * 200_000,
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_octets_that_are_no_receipt_are_counted_and_the_line_stands(
    serve: Serve, up: Up, line: Line, body: bytes
) -> None:
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        await connection.publish(TOPICS.receipt, body, 1, content_type=JSON)
        good = message(await receipt(line.house))
        await connection.publish(TOPICS.receipt, good, 2, content_type=JSON)
        await line.until_states("received")
        status = await line.up()
    assert status.counters["odd receipts"] == 1
    assert status.uplink.failures == 0


@pytest.mark.parametrize(
    ("topic", "content_type", "retain", "words"),
    [
        (TOPICS.receipt, JSON, True, "retained"),
        (TOPICS.receipt, "application/fhir+json", False, "content type"),
        (TOPICS.receipt, "text/plain", False, "content type"),
        (OTHER.receipt, JSON, False, "a topic that is not ours"),
        (TOPICS.observation, JSON, False, "a topic that is not ours"),
    ],
)
async def test_a_good_receipt_that_comes_in_a_wrong_way_changes_nothing_and_is_told_once(
    serve: Serve,
    up: Up,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    topic: str,
    content_type: str,
    retain: bool,
    words: str,
) -> None:
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        body = message(await receipt(line.house))
        await connection.publish(topic, body, 1, retain, content_type=content_type)
        await connection.publish(TOPICS.receipt, b"no", 2, content_type=JSON)
        status = await line.status(lambda status: status.counters["odd receipts"] == 2)
        assert await line.house.states() == ["published"]
    assert status.uplink.last_receipt_at is None
    told = [each for each in caplog.messages if words in each]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("but", "counter"),
    [
        ({"id": "00000000-0000-4000-8000-000000000000"}, "receipts unknown"),
        ({"epoch": "another gateway's"}, "receipts unknown"),
        ({"sha256": "0" * 64}, "receipts mismatch"),
        ({"sha256": "0" * 64, "status": "rejected"}, "receipts mismatch"),
        ({"sha256": "0" * 64, "status": "delivered"}, "receipts mismatch"),
    ],
)
async def test_a_receipt_for_nothing_of_ours_changes_no_row_and_is_counted_and_told_once(
    serve: Serve,
    up: Up,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    but: dict[str, Any],
    counter: str,
) -> None:
    await line.measure(2)
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        before = await everything(line.house)
        forged = await receipt(line.house, **but)
        await connection.publish(TOPICS.receipt, message(*[forged] * 50), 1, content_type=JSON)
        status = await line.status(lambda status: counter in status.counters)
        assert await everything(line.house) == before
    assert status.counters[counter] == 50
    assert status.uplink.last_receipt_at is None
    assert [each for each in caplog.messages if "changed nothing" in each] == [
        f"50 receipts changed nothing: {counter.removeprefix('receipts ')}"
    ]


async def everything(house: House) -> list[Any]:
    """All rows that a receipt could touch."""
    return [
        await house.rows(sql)
        for sql in (
            "SELECT * FROM readings",
            "SELECT * FROM receipts",
            "SELECT * FROM journey",
            "SELECT * FROM bodies",
            "SELECT * FROM frames",
        )
    ]


async def test_one_bad_receipt_spoils_its_message_and_no_other(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        good = await receipt(line.house)
        body = message(good, good | {"status": "burnt"})
        await connection.publish(TOPICS.receipt, body, 1, content_type=JSON)
        await line.status(lambda status: status.counters["odd receipts"] == 1)
        assert await line.house.states() == ["published"]


async def test_a_receipt_that_comes_again_changes_nothing_more(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        stored = message(await receipt(line.house))
        delivered = message(await receipt(line.house, status="delivered"))
        rejected = message(await receipt(line.house, status="rejected"))
        for mid, body in enumerate((stored, delivered), 1):
            await connection.publish(TOPICS.receipt, body, mid, content_type=JSON)
        await line.until_states("received")
        await line.status(lambda status: status.uplink.last_receipt_at is not None)
        for mid, body in enumerate((stored, delivered, delivered, rejected), 3):
            await connection.publish(TOPICS.receipt, body, mid, again=True, content_type=JSON)
        await line.status(lambda status: status.counters.get("receipts stale") == 4)
        assert await line.house.states() == ["received"]
        told = await line.house.rows("SELECT count(*) FROM journey WHERE step = 'delivered'")
        assert told == [(1,)]


async def test_receivers_with_ever_new_names_do_not_fill_the_disk(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        for mid in range(1, 4):
            crowd = [
                await receipt(line.house, by=f"care-{mid}-{n}", status="delivered")
                for n in range(WORDS_AT_MOST)
            ]
            await connection.publish(TOPICS.receipt, message(*crowd), mid, content_type=JSON)
        await line.status(
            lambda status: status.counters.get("receipts unknown") == 2 * WORDS_AT_MOST
        )
    assert await line.house.rows("SELECT count(*) FROM receipts") == [(WORDS_AT_MOST,)]


@pytest.fixture
async def fleet(house: House, tmp_path: Path) -> Fleet:
    return Fleet(house, tmp_path)


@pytest.fixture
def obedient(house: House, line: Line, fleet: Fleet) -> Line:
    """It obeys that fleet."""
    line.live.uplink = fleet.facts
    line.obey = fleet.orders.obey
    return line


async def replies(broker: ScriptedBroker, connection: Connection, count: int) -> list[str]:
    """What was said on `up/reply`, once it is so much."""

    def said() -> list[str]:
        return [
            json.loads(mqtt.payload(body))["status"]
            for _, _, body in connection.of(mqtt.PUBLISH)
            if mqtt.topic(body) == TOPICS.reply
        ]

    await broker.until(lambda: len(said()) == count)
    return said()


async def test_a_retained_command_is_neither_carried_out_nor_answered(
    serve: Serve, up: Up, obedient: Line, fleet: Fleet
) -> None:
    async with serve(Script()) as broker, obedient.to(up(broker.port)):
        connection = await connected(broker, obedient)
        body = fleet.command().body
        await connection.publish(TOPICS.command, body, 1, retain=True, content_type=JSON)
        await connection.publish(TOPICS.command, fleet.command().body, 2, content_type=JSON)
        assert await replies(broker, connection, 1) == ["done"]
        status = await obedient.up()
    assert status.counters["commands refused"] == 1
    assert await obedient.house.rows("SELECT number FROM commands") == [(2,)]


async def test_a_command_that_is_replayed_over_a_reconnect_is_done_once_and_answered_again(
    serve: Serve, up: Up, obedient: Line, fleet: Fleet
) -> None:
    await obedient.measure()
    body = fleet.command().body
    async with serve(Script(session_present=True)) as broker, obedient.to(up(broker.port)):
        connection = await connected(broker, obedient)
        good = message(await receipt(obedient.house))
        await connection.publish(TOPICS.receipt, good, 1, content_type=JSON)
        await obedient.until_states("received")
        await connection.publish(TOPICS.command, body, 2, content_type=JSON)
        assert await replies(broker, connection, 1) == ["done"]
        await obedient.until_states("published")
        await connection.publish(TOPICS.receipt, good, 3, content_type=JSON)
        await obedient.until_states("received")
        connection.writer.close()
        await broker.until(lambda: len(broker.connections) == 2)
        again = broker.connections[1]
        await broker.until(lambda: len(again.of(mqtt.SUBSCRIBE)) == 2)
        await again.publish(TOPICS.command, body, 2, again=True, content_type=JSON)
        assert await replies(broker, again, 1) == ["done"]
        assert await obedient.house.states() == ["received"]


async def test_a_command_with_an_old_number_or_for_another_gateway_is_refused_in_words(
    serve: Serve, up: Up, obedient: Line, fleet: Fleet
) -> None:
    async with serve(Script()) as broker, obedient.to(up(broker.port)):
        connection = await connected(broker, obedient)
        bodies = [
            fleet.command(number=7).body,
            fleet.command(number=7).body,
            fleet.command(number=6).body,
            fleet.command(number=8, topic=OTHER.command).body,
        ]
        for mid, body in enumerate(bodies, 1):
            await connection.publish(TOPICS.command, body, mid, content_type=JSON)
        await connection.publish(OTHER.command, fleet.command(number=9).body, 9, content_type=JSON)
        assert await replies(broker, connection, 4) == ["done"] + ["refused"] * 3
        status = await obedient.status(lambda status: status.counters["odd receipts"] == 1)
    assert status.counters["commands refused"] == 3


async def test_a_flood_of_large_messages_is_taken_one_by_one(
    serve: Serve, up: Up, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await line.measure()
    async with serve(Script()) as broker, line.to(up(broker.port)):
        connection = await connected(broker, line)
        async with asyncio.timeout(30):
            for mid in range(1, 11):
                for topic in (TOPICS.receipt, TOPICS.command):
                    await connection.publish(topic, b"9" * 100_000, mid, content_type=JSON)
        await connection.publish(TOPICS.receipt, message(await receipt(line.house)), 99)
        await line.until_states("received")
        status = await line.up()
    assert status.counters["odd receipts"] == 10
    assert "9999" not in caplog.text
