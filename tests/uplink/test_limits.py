"""What a broker allows, and what it remembers of us: the rows follow, the line stands."""

import pytest

from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import Serve, Up
from tests.uplink.line import TOPICS, Line, condition
from tests.uplink.scripted_broker import Connection, Script

READINGS = 60


def observations(connection: Connection) -> list[bytes]:
    """The Bundles that one connection was sent."""
    return [
        mqtt.payload(body)
        for _, _, body in connection.of(mqtt.PUBLISH)
        if mqtt.topic(body) == TOPICS.observation
    ]


@pytest.mark.parametrize(("maximum", "expected"), [(1, 1), (4, 4), (65535, 20)])
async def test_receive_maximum_bounds_what_is_in_flight_and_stops_nothing(
    serve: Serve, up: Up, line: Line, maximum: int, expected: int
) -> None:
    await line.measure(READINGS)
    properties = mqtt.receive_maximum(maximum)
    async with serve(Script(properties=properties, puback=lambda _: None)) as broker:
        async with line.to(up(broker.port)):
            (connection,) = await broker.until_connections(1)
            await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == expected)
            await line.up()
            assert len(connection.of(mqtt.PUBLISH)) == expected
        broker.script = Script(properties=properties)
        async with line.to(up(broker.port)):
            await line.until_states(*["published"] * READINGS)
            assert broker.connections[1].most_outstanding <= expected
            assert (await line.up()).uplink.last_error is None


async def test_a_reading_over_maximum_packet_size_is_parked_in_words_and_never_sent(
    serve: Serve, up: Up, line: Line
) -> None:
    await line.measure(2)
    script = Script(properties=mqtt.maximum_packet_size(2000))
    async with serve(script) as broker, line.to(up(broker.port)):
        await line.until_states("parked", "parked")
        status = await line.up()
        assert observations(broker.connections[0]) == []
        assert len(broker.connections[0].of(mqtt.PUBLISH)) == 1  # the status document
    told = condition(status, "parked-rows")
    assert told is not None
    assert told.text.startswith("2 set aside because they could not be read or were refused")
    ((reason,),) = await line.house.rows("SELECT DISTINCT reason FROM readings")
    assert str(reason).endswith("octets, the broker takes 2000: raise its limit")


async def test_server_keep_alive_takes_the_place_of_ours(serve: Serve, up: Up, line: Line) -> None:
    script = Script(properties=mqtt.server_keep_alive(1))
    async with serve(script) as broker, line.to(up(broker.port, keepalive_s=3600)):
        await line.up()
        await broker.until(lambda: bool(broker.connections[0].of(mqtt.PINGREQ)))


async def test_a_broker_without_retained_messages_is_sent_the_status_all_the_same(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script(properties=mqtt.RETAIN_UNAVAILABLE)) as broker:
        async with line.to(up(broker.port)):
            await line.up()
            await broker.until(lambda: len(broker.connections[0].of(mqtt.PUBLISH)) == 1)
        ((_, flags, body),) = broker.connections[0].of(mqtt.PUBLISH)
    assert (flags, mqtt.topic(body)) == (0x02, TOPICS.status)


async def test_a_broker_of_qos_0_alone_is_told_as_that(serve: Serve, up: Up, line: Line) -> None:
    async with serve(Script(properties=mqtt.QOS_0_ONLY)) as broker, line.to(up(broker.port)):
        await line.down("the broker must offer QoS 1")


@pytest.mark.parametrize("properties", [mqtt.receive_maximum(0), mqtt.maximum_packet_size(0)])
async def test_a_broker_that_allows_nothing_parks_no_reading(
    serve: Serve, up: Up, line: Line, properties: bytes
) -> None:
    await line.measure()
    async with serve(Script(properties=properties)) as broker, line.to(up(broker.port)):
        await line.down("is not MQTT 5")
    assert await line.house.states() == ["pending"]


@pytest.mark.parametrize("present", [True, False])
async def test_whether_or_not_the_broker_knows_us_we_listen_again_and_send_the_same_octets(
    serve: Serve, up: Up, line: Line, present: bool
) -> None:
    await line.measure(3)
    script = Script(session_present=present, puback=lambda _: None)
    async with serve(script) as broker, line.to(up(broker.port)):
        (first,) = await broker.until_connections(1)
        await broker.until(lambda: len(observations(first)) == 3)
        broker.script = Script(session_present=present)
        first.writer.close()
        await line.until_states(*["published"] * 3)
        second = broker.connections[1]
        assert len(second.of(mqtt.SUBSCRIBE)) == 2
        assert observations(second) == observations(first)
        assert not second.of(mqtt.CONNECT)[0][2][7] & 0x02  # Clean Start
        assert all(flags == 0x02 for _, flags, _ in second.of(mqtt.PUBLISH)[1:])  # new packets
