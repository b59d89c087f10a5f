"""What MQTT libraries do wrong for a medical outbox, one test each, against a scripted server."""

import asyncio
import logging
import socket

import pytest

from gateway.uplink import NO_SUBSCRIBERS, Refused, Session, UplinkError
from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import TOPICS, Serve, Up, an_observation
from tests.uplink.scripted_broker import Script


async def failures(session: Session, count: int) -> list[UplinkError]:
    """Publish *count* at the same time; the errors."""
    found: list[UplinkError] = []

    async def one(number: int) -> None:
        try:
            await session.publish(an_observation(b"%d" % number))
        except UplinkError as error:
            found.append(error)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number), name=f"publish {number}")
    return found


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x90, 0x91, 0x97])
async def test_a_bad_puback_is_the_uplinks_fault_and_keeps_its_reason(
    serve: Serve, up: Up, code: int
) -> None:
    async with serve(Script(puback=lambda _: code)) as broker, up(broker.port).connect() as session:
        with pytest.raises(UplinkError) as raised:
            await session.publish(an_observation())
    assert (raised.value.kind, raised.value.reason_code) == ("refused", code)


async def test_a_message_refused_for_good_is_told_apart(serve: Serve, up: Up) -> None:
    async with serve(Script(puback=lambda _: 0x99)) as broker, up(broker.port).connect() as session:
        with pytest.raises(Refused) as raised:
            await session.publish(an_observation())
    assert raised.value.reason_code == 0x99


async def test_a_broker_that_hangs_up_on_a_size_refuses_the_largest_message_alone(
    serve: Serve, up: Up
) -> None:
    async with serve(Script(puback=lambda _: None)) as broker, up(broker.port).connect() as session:
        sizes = (10, 2000, 500)
        tasks = [
            asyncio.create_task(session.publish(an_observation(bytes(size))), name=f"{size} octets")
            for size in sizes
        ]
        connection = broker.connections[0]
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == 3)
        await connection.send(mqtt.DISCONNECT, b"\x95\x00")
        await asyncio.wait(tasks)
    assert [type(task.exception()) for task in tasks] == [UplinkError, Refused, UplinkError]


@pytest.mark.parametrize("code", [0x00, NO_SUBSCRIBERS])
async def test_a_good_puback_gives_its_reason_code(serve: Serve, up: Up, code: int) -> None:
    async with serve(Script(puback=lambda _: code)) as broker, up(broker.port).connect() as session:
        assert await session.publish(an_observation()) == code


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [(1, 20, 1), (4, 20, 4), (20, 3, 3), (65535, 20, 20), (None, 20, 20)],
)
async def test_no_more_publishes_are_outstanding_than_both_sides_allow(
    serve: Serve, up: Up, theirs: int | None, ours: int, expected: int
) -> None:
    properties = b"" if theirs is None else mqtt.receive_maximum(theirs)
    script = Script(properties=properties, puback=lambda _: None)
    async with serve(script) as broker, up(broker.port, window=ours).connect() as session:
        publishing = asyncio.create_task(failures(session, 60), name="publish 60")
        connection = broker.connections[0]
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) >= expected)
        await session.subscribe("x")  # whatever had been sent before has arrived before this
        assert len(connection.of(mqtt.PUBLISH)) == expected
        connection.writer.close()
        assert len(await publishing) == 60


async def test_the_window_moves_on_with_each_puback(serve: Serve, up: Up) -> None:
    script = Script(properties=mqtt.receive_maximum(4))
    async with serve(script) as broker, up(broker.port).connect() as session:
        assert await failures(session, 60) == []
        assert len(broker.connections[0].of(mqtt.PUBLISH)) == 60


async def test_a_publisher_that_goes_away_leaves_its_place_taken(serve: Serve, up: Up) -> None:
    script = Script(properties=mqtt.receive_maximum(1), puback=lambda _: None)
    async with serve(script) as broker, up(broker.port).connect() as session:
        connection = broker.connections[0]
        first = asyncio.create_task(session.publish(an_observation(b"1")), name="first")
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == 1)
        first.cancel()
        await asyncio.wait({first})
        second = asyncio.create_task(session.publish(an_observation(b"2")), name="second")
        await session.subscribe("x")
        assert len(connection.of(mqtt.PUBLISH)) == 1
        await connection.send(mqtt.PUBACK, mqtt.message_id(connection.of(mqtt.PUBLISH)[0][2]))
        await broker.until(lambda: len(connection.of(mqtt.PUBLISH)) == 2)
        await connection.send(mqtt.PUBACK, mqtt.message_id(connection.of(mqtt.PUBLISH)[1][2]))
        assert await second == 0


async def test_a_message_over_the_brokers_limit_is_refused_and_never_sent(
    serve: Serve, up: Up
) -> None:
    script = Script(properties=mqtt.maximum_packet_size(1000))
    async with serve(script) as broker, up(broker.port).connect() as session:
        with pytest.raises(Refused):
            await session.publish(an_observation(bytes(5000)))
        assert await session.publish(an_observation(bytes(800))) == 0
        assert len(broker.connections[0].of(mqtt.PUBLISH)) == 1


async def test_the_size_that_counts_is_the_whole_packets(serve: Serve, up: Up) -> None:
    async with serve(Script()) as broker, up(broker.port).connect() as session:
        await session.publish(an_observation(bytes(100)))
        (_, _, body) = broker.connections[0].of(mqtt.PUBLISH)[0]
        size = 1 + 2 + len(body)  # a length of 128 or more has two octets
    exactly = Script(properties=mqtt.maximum_packet_size(size))
    async with serve(exactly) as broker, up(broker.port).connect() as session:
        assert await session.publish(an_observation(bytes(100))) == 0
        with pytest.raises(Refused):
            await session.publish(an_observation(bytes(101)))


async def test_no_puback_at_all_ends_the_session_and_nothing_is_sent_again(
    serve: Serve, up: Up
) -> None:
    async with serve(Script(puback=lambda _: None)) as broker:
        uplink = up(broker.port, puback_s=0.2)
        async with uplink.connect() as session:
            with pytest.raises(UplinkError) as raised:
                await session.publish(an_observation())
            with pytest.raises(UplinkError):
                await session.publish(an_observation())
        async with uplink.connect() as session:
            await session.subscribe("x")
        assert raised.value.kind == "unanswered"
        assert len(broker.connections[1].of(mqtt.PUBLISH)) == 0


async def test_every_pending_publish_fails_when_the_link_is_lost(serve: Serve, up: Up) -> None:
    script = Script(puback=lambda _: None, hang_up_after=20)
    async with serve(script) as broker:
        uplink = up(broker.port, puback_s=3600)
        async with uplink.connect() as session, asyncio.timeout(10):
            errors = await failures(session, 60)
        assert [error.kind for error in errors] == ["lost"] * 60
        broker.script = Script()
        async with uplink.connect() as session:
            await session.publish(an_observation(b"new"))
        assert [mqtt.payload(body) for *_, body in broker.connections[1].of(mqtt.PUBLISH)] == [
            b"new"
        ]


async def test_the_reason_of_a_disconnect_reaches_whoever_listens(serve: Serve, up: Up) -> None:
    async with serve(Script()) as broker, up(broker.port).connect() as session:
        await broker.connections[0].send(mqtt.DISCONNECT, b"\x8e\x00")
        with pytest.raises(UplinkError, match="same id") as raised:
            await anext(session.messages())
    assert (raised.value.kind, raised.value.reason_code, raised.value.slow) == ("lost", 0x8E, True)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x01\x00", b"\xff"])
async def test_what_is_not_mqtt_is_an_uplink_error(serve: Serve, up: Up, answer: bytes) -> None:
    async with serve(Script(raw_connack=answer)) as broker:
        connecting = asyncio.create_task(connect_once(up, broker.port), name="connect")
        await broker.until(lambda: len(broker.connections) == 1)
        await broker.until(lambda: len(broker.connections[0].packets) == 1)
        broker.connections[0].writer.close()
        with pytest.raises(UplinkError) as raised:
            await connecting
    assert raised.value.kind in {"protocol", "unanswered"}


async def connect_once(up: Up, port: int) -> None:
    async with up(port).connect():
        pass


async def test_an_unreadable_publish_ends_the_session(serve: Serve, up: Up) -> None:
    async with serve(Script()) as broker, up(broker.port).connect() as session:
        await broker.connections[0].send(mqtt.PUBLISH, b"\x00\x09abc", 0x02)
        with pytest.raises(UplinkError):
            await anext(session.messages())


async def test_a_refused_subscription_is_an_error(serve: Serve, up: Up) -> None:
    async with serve(Script(suback=0x87)) as broker, up(broker.port).connect() as session:
        with pytest.raises(UplinkError, match="may not listen"):
            await session.subscribe(TOPICS.receipt)


async def test_a_subscription_fails_at_once_when_the_link_is_lost(serve: Serve, up: Up) -> None:
    async with serve(Script(suback=None)) as broker, up(broker.port).connect() as session:
        asking = asyncio.create_task(session.subscribe("x"), name="subscribe")
        await broker.until(lambda: len(broker.connections[0].of(mqtt.SUBSCRIBE)) == 1)
        broker.connections[0].writer.close()
        with pytest.raises(UplinkError):
            await asking


async def test_a_message_is_acknowledged_when_the_next_is_asked_for(serve: Serve, up: Up) -> None:
    async with serve(Script()) as broker, up(broker.port).connect() as session:
        connection = broker.connections[0]
        await connection.publish(TOPICS.receipt, b"first", mid=7)
        await connection.publish(TOPICS.receipt, b"second", mid=8, retain=True)
        messages = session.messages()
        first = await anext(messages)
        await session.publish(an_observation())
        assert connection.of(mqtt.PUBACK) == []
        second = await anext(messages)
        await broker.until(lambda: len(connection.of(mqtt.PUBACK)) == 1)
        assert connection.of(mqtt.PUBACK)[0][2][:2] == b"\x00\x07"
        assert (first.body, first.retain) == (b"first", False)
        assert (second.body, second.retain) == (b"second", True)


async def test_hanging_up_leaves_the_will_to_the_broker(serve: Serve, up: Up) -> None:
    async with serve(Script()) as broker:
        async with up(broker.port).connect():
            pass
        await broker.until(lambda: broker.connections[0].closed)
        assert broker.connections[0].of(mqtt.DISCONNECT)[0][2][:1] == b"\x04"


async def test_giving_up_while_connecting_leaves_nothing_behind(serve: Serve, up: Up) -> None:
    async with serve(Script(connack=None)) as broker:
        connecting = asyncio.create_task(connect_once(up, broker.port), name="connect")
        await broker.until(lambda: len(broker.connections) == 1)
        await broker.until(lambda: len(broker.connections[0].packets) == 1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await broker.until(lambda: broker.connections[0].closed)


async def test_a_peer_that_never_speaks_tls_is_given_up(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.client.CONNECT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UplinkError, match="no answer") as raised,
    ):
        await connect_once(up, silent.getsockname()[1])
    assert raised.value.kind == "unreachable"


async def test_giving_up_during_the_handshake_leaves_nothing_behind(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.client.CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        connecting = asyncio.create_task(connect_once(up, silent.getsockname()[1]), name="connect")
        peer, _ = await asyncio.get_running_loop().sock_accept(silent)
        connecting.cancel()
        with peer, pytest.raises(asyncio.CancelledError):
            await connecting


async def test_nothing_of_a_message_is_logged(
    serve: Serve, up: Up, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(Script(puback=lambda _: 0x87)) as broker, up(broker.port).connect() as session:
        with pytest.raises(UplinkError) as raised:
            await session.publish(an_observation(b'{"value": 120}'))
    assert "120" not in caplog.text + str(raised.value)
