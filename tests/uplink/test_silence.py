"""A broker that does not answer, or not any more: what `status` says, and that nothing is lost."""

import socket

import pytest

from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import Serve, Up
from tests.uplink.line import Line, condition
from tests.uplink.relay import Relay
from tests.uplink.scripted_broker import Script
from tests.uplink.test_reasons import SOON


async def test_a_broker_that_takes_the_connection_and_never_speaks_tls(
    up: Up, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.client.CONNECT_S", 0.2)
    await line.measure()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with line.to(up(silent.getsockname()[1])):
            told = await line.down("no answer; is the port open on the way?")
            assert "Check the home's internet, then broker.host and broker.port." in told
            assert line.dice.asked[0] == SOON
    assert await line.house.states() == ["pending"]


async def test_a_port_at_which_nobody_listens(up: Up, line: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with line.to(up(port)):
        told = await line.down("nobody listens; is the broker running?")
    assert "Check the home's internet" in told


async def test_a_name_that_does_not_exist(up: Up, line: Line) -> None:
    async with line.to(up(1, host="nonesuch.invalid")):
        await line.down("nonesuch.invalid: no such name; check broker.host and the network")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(connack=None), "did not answer our CONNECT"),
        (Script(suback=None), "no SUBACK"),
    ],
)
async def test_a_broker_that_never_answers_what_comes_first(
    serve: Serve,
    up: Up,
    line: Line,
    monkeypatch: pytest.MonkeyPatch,
    script: Script,
    words: str,
) -> None:
    monkeypatch.setattr("gateway.uplink.client.CONNACK_S", 0.3)
    await line.measure()
    async with serve(script) as broker, line.to(up(broker.port)):
        told = await line.down(words)
        assert "Somebody must look at the broker, and at what stands on the way" in told
        assert line.dice.asked[0] == SOON
    assert await line.house.states() == ["pending"]


async def test_a_broker_that_never_acknowledges_a_reading(serve: Serve, up: Up, line: Line) -> None:
    await line.measure(3)
    script = Script(puback=lambda before: 0 if before == 0 else None)
    async with serve(script) as broker, line.to(up(broker.port, puback_s=0.3)):
        await line.down("no PUBACK within 0.3 s")
        assert await line.house.states() == ["pending"] * 3
        broker.script = Script()
        await line.until_states(*["published"] * 3)
        status = await line.up()
        assert condition(status, "line-down") is None
        assert status.uplink.last_error == "no PUBACK within 0.3 s"  # so the other end learns it


async def test_a_broker_that_does_not_answer_pings(serve: Serve, up: Up, line: Line) -> None:
    script = Script(properties=mqtt.server_keep_alive(1), answers_ping=False)
    async with serve(script) as broker, line.to(up(broker.port, keepalive_s=3600)):
        await line.up()
        broker.script = Script(connack=None, answers_ping=False)
        await line.down("no answer to a ping")


async def test_a_half_open_connection_is_found_out_by_a_ping(
    serve: Serve, up: Up, line: Line
) -> None:
    script = Script(properties=mqtt.server_keep_alive(1))
    async with (
        serve(script) as broker,
        Relay(broker.port) as relay,
        line.to(up(relay.port, keepalive_s=3600)),
    ):
        await line.up()
        relay.deaf()
        await line.down("no answer to a ping")


async def test_a_half_open_connection_is_found_out_by_a_reading(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script()) as broker, Relay(broker.port) as relay:
        async with line.to(up(relay.port, puback_s=1.5)):
            await line.up()
            relay.deaf()
            await line.measure()
            await line.down("no PUBACK within 1.5 s")
        assert await line.house.states() == ["pending"]


async def test_a_connection_that_is_reset(serve: Serve, up: Up, line: Line) -> None:
    async with serve(Script()) as broker, line.to(up(broker.port)):
        await line.up()
        broker.script = Script(connack=None)
        broker.connections[0].writer.transport.abort()
        told = await line.down("the broker or the way to it went away")
        assert "It comes back by itself." in told


async def test_a_broker_that_hangs_up_instead_of_a_connack(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script(connack=None)) as broker, line.to(up(broker.port)):
        await broker.until(lambda: bool(broker.connections and broker.connections[0].packets))
        broker.connections[0].writer.close()
        await line.down("the connection ended before our CONNECT was answered")
