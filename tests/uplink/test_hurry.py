"""One early try when somebody has just measured, over real connections."""

import time

from tests.outbox.house import House
from tests.uplink import scripted_broker as mqtt
from tests.uplink.conftest import Serve, Up
from tests.uplink.line import Line
from tests.uplink.scripted_broker import Script

CAP_S = 30.0  # a busy broker is spared for a fifteenth of it, 2 s


async def test_a_reading_cuts_a_long_wait_short_and_arrives(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script(connack=0x87)) as broker, line.to(up(broker.port)):
        await line.down("not authorised")
        assert line.dice.asked == [(600.0, 900.0)]
        broker.script = Script()
        await line.measure()
        await line.until_states("published")
        assert line.dice.asked == [(600.0, 900.0)]


async def test_readings_of_an_outage_are_one_early_try_and_not_one_each(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script(connack=0x87)) as broker, line.to(up(broker.port)):
        await line.down("not authorised")
        await line.measure()
        await line.status(lambda status: status.uplink.failures == 2)
        broker.script = Script()
        for _ in range(3):
            await line.measure()
        assert (await line.status(lambda _: True)).uplink.failures == 2
        assert len(broker.connections) == 2
        assert await line.house.states() == ["pending"] * 4


async def test_what_is_no_news_cuts_no_wait_short(serve: Serve, up: Up, line: Line) -> None:
    await line.measure()  # before the line was tried at all
    async with serve(Script(connack=0x87)) as broker, line.to(up(broker.port)):
        await line.down("not authorised")
        await line.house.meter(address="C0:11:22:33:44:99")  # a commit, and nothing to send
        line.house.store.stir()
        assert (await line.status(lambda _: True)).uplink.failures == 1
        assert len(broker.connections) == 1


async def test_a_reading_that_came_while_a_try_was_under_way_counts_as_well(
    serve: Serve, up: Up, line: Line
) -> None:
    async with serve(Script(connack=None)) as broker, line.to(up(broker.port)):
        (connection,) = await broker.until_connections(1)
        await broker.until(lambda: bool(connection.packets))
        await line.measure()
        broker.script = Script()
        await connection.send(mqtt.CONNACK, b"\x00\x87\x00")
        await line.until_states("published")
        assert line.dice.asked == [(600.0, 900.0)]


async def test_a_busy_broker_is_spared_whoever_measures(
    serve: Serve, up: Up, house: House, line: Line
) -> None:
    line = Line(house, cap_s=CAP_S)  # by then SETTLING is none
    async with serve(Script(connack=0x89)) as broker, line.to(up(broker.port)):
        await line.down("server busy")
        refused = time.monotonic()
        broker.script = Script()
        await line.measure()
        await broker.until_connections(2)
        waited = time.monotonic() - refused
        await line.until_states("published")
    assert waited > CAP_S / 15 - 1  # the words were read a little after the refusal
    assert line.dice.asked == [(CAP_S / 15, CAP_S)]
