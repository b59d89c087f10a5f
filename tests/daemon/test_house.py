"""The whole daemon between virtual meters, a real broker and the reference receiver."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bumble import att

from backend.link import Link
from drivers.api import Frame
from gateway.contract import Status, Topics
from gateway.outbox.database import Database
from gateway.uplink.session import NO_SUBSCRIBERS
from simulator.broker import Broker
from simulator.pki import Authority
from tests.daemon.numbers import received, told
from tests.daemon.scene import BRISK, GATEWAY, LONG_S, ORGANISATION, Scene, until


async def test_every_reading_of_the_home_arrives_exactly_once(scene: Scene) -> None:
    await scene.broker.start()
    async with scene.receiver(), scene.gateway() as gateway:
        await scene.add(*scene.home.meters)
        for meter in scene.home.meters:
            meter.measure()
        everything = [each for meter in scene.home.meters for each in meter.measured]
        await scene.until_held(len(everything))
        await gateway.until_states(received=len(everything))
    assert received(scene.held()) == told(everything)
    assert {each.deliveries for each in scene.held()} == {1}


async def test_what_was_measured_while_the_broker_was_down_arrives_when_it_is_up(
    scene: Scene,
) -> None:
    async with scene.gateway() as gateway:
        await scene.add(scene.home.cuff, scene.home.oximeter)
        scene.home.cuff.measure()
        await gateway.until_states(pending=1)
        await scene.broker.start()
        async with scene.receiver():
            await scene.until_held(1)
            await scene.broker.stop()
            scene.home.oximeter.measure()
            await gateway.until_states(pending=1, received=1)
            await scene.broker.start()
            await gateway.until_states(received=2)
    everything = scene.home.cuff.measured + scene.home.oximeter.measured
    assert received(scene.held()) == told(everything)


async def test_readings_wait_for_a_receiver_that_is_not_there(scene: Scene) -> None:
    await scene.broker.start()
    async with scene.gateway() as gateway:
        await scene.add(scene.home.thermometer)
        scene.home.thermometer.measure()
        await gateway.until("SELECT state, puback FROM readings", [("pending", NO_SUBSCRIBERS)])
        async with scene.receiver():
            await gateway.until_states(received=1)
    assert received(scene.held()) == told(scene.home.thermometer.measured)


async def test_a_meter_keeps_what_it_has_while_the_outbox_has_no_room(scene: Scene) -> None:
    cuff = scene.home.cuff
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        cuff.wake()
        await gateway.until("SELECT ended_at IS NULL FROM sessions", [(0,)])
        used = await gateway.store(Database.used_octets)
        await gateway.store(Database.bound, used * 100 // 96)
        cuff.measure()
        await scene.status(lambda status: "outbox-full" in ids(status))
        await asyncio.sleep(1.0)  # it advertises, and is heard, ten times a second
        assert cuff.collected == []
        await gateway.store(Database.bound, used * 100)
        cuff.wake()
        await gateway.until_states(pending=1)


def ids(status: dict[str, Any]) -> set[str]:
    return {condition["id"] for condition in status["conditions"]}


async def test_meters_that_hang_up_half_way_deliver_the_rest_next_time(tmp_path: Path) -> None:
    async with Scene(tmp_path, replace(BRISK, gives_up_after=7)) as scene:
        cuff, glucose = scene.home.cuff, scene.home.glucose
        now = datetime.now(UTC)
        for minutes in range(10):
            cuff.measure(now - timedelta(minutes=minutes))
        await scene.broker.start()
        async with scene.receiver(), scene.gateway() as gateway:
            await scene.add(cuff, glucose)
            glucose.wake()
            everything = cuff.measured + glucose.measured
            await gateway.until_states(received=len(everything))
            await gateway.until(
                "SELECT device_id, outcome FROM sessions ORDER BY 1, 2",
                [
                    (1, "complete"),
                    (1, "complete"),
                    (2, "complete"),
                    (2, "the meter hung up before it had given all its records"),
                ],
            )
        assert received(scene.held()) == told(everything)
        assert cuff.collected == cuff.measured
        assert glucose.collected == glucose.measured
        assert {each.version for each in scene.held()} == {1}  # a record waits for its context


async def test_octets_that_do_not_decode_are_parked_and_the_session_goes_on(scene: Scene) -> None:
    cuff = scene.home.cuff
    measured = [cuff.measure() for _ in range(3)]
    broken = Frame(measured[1].frames[0].characteristic, b"\x1e\x01")
    cuff.stored[1] = replace(measured[1], frames=(broken,))
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        await gateway.until_states(pending=2)
        await until(lambda: cuff.stored == [])
        parked = await gateway.rows("SELECT state, reason FROM frames WHERE state = 'parked'")
    assert [state for state, _ in parked] == ["parked"]
    assert parked[0][1].startswith("decode: ")


async def test_what_a_meter_sends_while_we_hang_up_is_kept(tmp_path: Path) -> None:
    """The conversation ends with the battery; this cuff measures once more as it is asked."""
    async with Scene(tmp_path, replace(BRISK, idle_s=10.0)) as scene:
        cuff = scene.home.cuff
        cuff.measure()
        cuff.peripheral.battery.on(att.Attribute.EVENT_READ, lambda *_: cuff.measure())
        async with scene.gateway() as gateway:
            await scene.add(cuff)
            await gateway.until_states(pending=2)
            sessions = await gateway.rows("SELECT outcome FROM sessions")
        assert cuff.collected == cuff.measured
        assert sessions == [("complete",)]


async def test_a_broker_that_is_not_ours_is_told_of_and_readings_wait(scene: Scene) -> None:
    cuff = scene.home.cuff
    stranger = Authority(scene.folder / "stranger")
    port = scene.broker.port
    impostor = Broker(scene.folder / "impostor", stranger, ORGANISATION, [GATEWAY], port=port)
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        async with impostor:
            cuff.measure()
            await gateway.until_states(pending=1)
            status = await scene.status(lambda now: "certificate" in str(now["uplink"]))
            assert status["uplink"]["connected_at"] is None
            assert status["rows"]["pending"] == 1
        await scene.broker.start()
        async with scene.receiver():
            await gateway.until_states(received=1)
    assert received(scene.held()) == told(cuff.measured)


async def test_a_meter_that_cannot_be_read_any_more_is_told_of(scene: Scene) -> None:
    cuff = scene.home.cuff
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        cuff.measure()
        await gateway.until_states(pending=1)
        await gateway.until("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL", [(1,)])
        await cuff.peripheral.forget()
        cuff.measure()
        lost = "meter-bond-lost/44:51"
        await scene.status(lambda now: lost in [each["id"] for each in now["conditions"]])


async def test_the_broker_keeps_a_status_of_the_contract_that_counts_what_waits(
    scene: Scene,
) -> None:
    cuff = scene.home.cuff
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        cuff.measure()
        await gateway.until_states(pending=1)
        await scene.broker.start()
        await scene.status(lambda now: now["uplink"]["connected_at"] is not None)
        async with asyncio.timeout(LONG_S), Link(scene.receiving, scene.trust()) as link:
            await link.listen(Topics(ORGANISATION, GATEWAY).status)
            (message,) = await link.arrived(1)
    status = Status.model_validate_json(bytes(message.payload))
    assert (status.online, status.gateway, status.epoch) == (True, GATEWAY, gateway.store.epoch)
    assert status.rows.pending == 1
    assert status.oldest_unreceipted is not None
    assert [each.device for each in status.devices] == ["44:51"]
