"""Every reason code that a broker may give: the state it leads to, and the words in `status`.

MQTT 5.0, 2.4. Bounds are those of the wait before the next try, in seconds.
"""

from zlib import compress

import pytest

from gateway.outbox.database import Database
from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import Serve, Up
from tests.uplink.line import Line, condition
from tests.uplink.scripted_broker import Script

SOON, BUSY, LEAVING, SLOW = (0.0, 1.0), (60.0, 900.0), (0.0, 300.0), (600.0, 900.0)

CONNACK = [
    (0x80, "see the broker's log", SOON),
    (0x81, "is something else than MQTT 5", SOON),
    (0x82, "protocol error: report this", SLOW),
    (0x83, "an error of this broker's own", SOON),
    (0x84, "MQTT 5 is not supported", SLOW),
    (0x01, "MQTT 5 is not supported", SLOW),  # a broker of MQTT 3.1.1: unacceptable version
    (0x85, "must accept the gateway id", SLOW),
    (0x86, "must take the name from the certificate", SLOW),
    (0x87, "check the broker's access list for this gateway", SLOW),
    (0x88, "server unavailable", SOON),
    (0x89, "server busy", BUSY),
    (0x8A, "ask the broker's administrator", SLOW),
    (0x8C, "must ask for the certificate alone", SLOW),
    (0x90, "topic name not valid", SLOW),
    (0x95, "raise the broker's limit", SOON),
    (0x97, "quota exceeded", BUSY),
    (0x99, "is not MQTT 5", SOON),  # paho-mqtt does not know it there
    (0x9A, "allow retained messages on up/status", SLOW),
    (0x9B, "must offer QoS 1", SLOW),
    (0x9C, "change broker.host", SLOW),
    (0x9D, "change broker.host", SLOW),
    (0x9F, "connection rate exceeded", BUSY),
]


@pytest.mark.parametrize(("code", "words", "bounds"), CONNACK)
async def test_a_connack_that_refuses(
    serve: Serve, up: Up, line: Line, code: int, words: str, bounds: tuple[float, float]
) -> None:
    await line.measure()
    async with serve(Script(connack=code)) as broker, line.to(up(broker.port)):
        told = await line.down(words)
        assert "Readings are kept." in told
        assert "look at the broker." in told
        assert line.dice.asked[0] == bounds
        assert await line.house.states() == ["pending"]


SUBACK = [
    (0x80, "see the broker's log", SOON),
    (0x83, "an error of this broker's own", SOON),
    (0x87, "check the broker's access list for this gateway", SLOW),
    (0x8F, "topic filter not valid", SLOW),
    (0x91, "packet identifier in use", SOON),
    (0x97, "quota exceeded", BUSY),
]


@pytest.mark.parametrize(("code", "words", "bounds"), SUBACK)
async def test_a_suback_that_refuses(
    serve: Serve, up: Up, line: Line, code: int, words: str, bounds: tuple[float, float]
) -> None:
    await line.measure()
    async with serve(Script(suback=code)) as broker, line.to(up(broker.port)):
        assert "may not listen to" in await line.down(words)
        assert line.dice.asked[0] == bounds
        assert await line.house.states() == ["pending"]


PUBACK = [
    (0x80, "see the broker's log", SOON),
    (0x83, "an error of this broker's own", SOON),
    (0x87, "check the broker's access list for this gateway", SLOW),
    (0x90, "topic name not valid", SLOW),
    (0x91, "packet identifier in use", SOON),
    (0x97, "quota exceeded", BUSY),
]


@pytest.mark.parametrize(("code", "words", "bounds"), PUBACK)
async def test_a_puback_that_is_the_brokers_fault_keeps_every_reading_due(
    serve: Serve, up: Up, line: Line, code: int, words: str, bounds: tuple[float, float]
) -> None:
    await line.measure(3)
    script = Script(puback=lambda before: 0 if before == 0 else code)  # status is the first
    async with serve(script) as broker, line.to(up(broker.port)):
        told = await line.down(words)
        assert "did not take a message on hjemgate/1/org1/gw-7f3ak2m9qd/up/observation" in told
        assert line.dice.asked[0] == bounds
        assert await line.house.states() == ["pending"] * 3
        assert len(await line.house.due()) == 3


async def test_a_puback_that_refuses_one_reading_for_good_parks_it_and_the_line_stands(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure(3)
    script = Script(puback=lambda before: 0x99 if before == 2 else 0)
    async with serve(script) as broker, line.to(up(broker.port)):
        await line.until_states("published", "parked", "published")
        status = await line.up()
        assert line.dice.asked == []
    told = condition(status, "parked-rows")
    assert told is not None
    assert "hjemgate parked" in told.text
    ((reason,),) = await line.house.rows("SELECT reason FROM readings WHERE state = 'parked'")
    assert "payload format not valid (0x99)" in str(reason)


async def test_a_puback_that_nobody_listens_leaves_the_reading_waiting_and_the_line_standing(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure()
    script = Script(puback=lambda _: 0x10)
    async with serve(script) as broker, line.to(up(broker.port)):
        status = await line.status(lambda status: condition(status, "backend-silent") is not None)
    assert status.uplink.connected_at is not None
    assert await line.house.rows("SELECT state, puback FROM readings") == [("pending", 0x10)]
    assert line.dice.asked == []


DISCONNECT = [
    (0x00, "without a reason", SOON),
    (0x80, "see the broker's log", SOON),
    (0x81, "malformed packet", SOON),
    (0x82, "protocol error: report this", SLOW),
    (0x83, "an error of this broker's own", SOON),
    (0x87, "check the broker's access list for this gateway", SLOW),
    (0x89, "server busy", BUSY),
    (0x8B, "server shutting down", LEAVING),
    (0x8D, "silent for too long", SOON),
    (0x8E, "another gateway runs with the same id and certificate", SLOW),
    (0x8F, "topic filter not valid", SLOW),
    (0x90, "topic name not valid", SLOW),
    (0x93, "receive maximum exceeded: report this", SOON),
    (0x94, "topic alias not valid: report this", SOON),
    (0x96, "message rate too high", BUSY),
    (0x97, "quota exceeded", BUSY),
    (0x98, "somebody at the broker ended it", SOON),
    (0x99, "payload format not valid", SOON),
    (0x9A, "allow retained messages on up/status", SLOW),
    (0x9B, "must offer QoS 1", SLOW),
    (0x9C, "change broker.host", SLOW),
    (0x9D, "change broker.host", SLOW),
    (0x9F, "connection rate exceeded", BUSY),
    (0xA0, "ends every connection after a while", SOON),
]


@pytest.mark.parametrize(("code", "words", "bounds"), DISCONNECT)
async def test_a_disconnect_keeps_what_was_in_flight_due(
    serve: Serve, up: Up, line: Line, code: int, words: str, bounds: tuple[float, float]
) -> None:
    await line.measure(3)
    async with serve(Script(puback=lambda _: None)) as broker, line.to(up(broker.port)):
        await line.up()
        (connection,) = broker.connections
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == 4)
        broker.script = Script(connack=None)  # so that the words stay
        await connection.hang_up(code)
        assert "the broker hung up" in await line.down(words)
        assert line.dice.asked[0] == bounds
        assert await line.house.states() == ["pending"] * 3


async def test_a_disconnect_because_of_a_size_parks_the_largest_reading_alone(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure(2)
    await line.house.store(
        lambda db: db.execute("UPDATE bodies SET body = ? WHERE reading_id = 2", _large(db))
    )
    async with serve(Script(puback=lambda _: None)) as broker, line.to(up(broker.port)):
        await line.up()
        (connection,) = broker.connections
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == 3)
        broker.script = Script()
        await connection.hang_up(0x95)
        await line.until_states("published", "parked")
    ((reason,),) = await line.house.rows("SELECT reason FROM readings WHERE state = 'parked'")
    assert "raise the broker's limit (0x95)" in str(reason)


def _large(db: Database) -> bytes:
    """A body as no meter makes one."""
    return db.seal("bodies", 2, "body", compress(bytes(50_000)))


@pytest.mark.parametrize("raw", [b"\x20\x03\x00\xee\x00", b"\x20\x01\x00"])
async def test_what_is_not_mqtt_5_is_told_as_that(
    serve: Serve, up: Up, line: Line, raw: bytes
) -> None:
    async with serve(Script(raw_connack=raw)) as broker, line.to(up(broker.port)):
        told = await line.down("is not MQTT 5; is something else listening there?")
        assert "Check broker.host and broker.port" in told
        assert line.dice.asked[0] == SOON
