"""Bonds that were lost, meters that are expected or forgotten, and what a scan shows."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from gateway import control_client
from simulator.meters.cuff import CUFF
from simulator.meters.meter import Meter
from simulator.meters.push import PushMeter
from tests.commands.terminal import hjemgate
from tests.daemon.scene import ANNA, LONG_S, Gateway, Scene
from tests.pairing.patience import until_true
from tests.pairing.test_pair import paired
from tests.vm.stranger import take_away


async def conditions(gateway: Gateway) -> list[str]:
    status = (await control_client.request(gateway.socket, "status"))["status"]
    return [each["id"] for each in status["conditions"]]


async def device(gateway: Gateway) -> dict[str, Any]:
    (found,) = (await control_client.request(gateway.socket, "devices"))["devices"]
    assert isinstance(found, dict)
    return found


async def introduced(scene: Scene, gateway: Gateway, meter: Meter) -> None:
    """A meter of this home, with one reading; until its first session is over."""
    await scene.add(meter)
    meter.measure()
    await gateway.until_states(pending=1)
    await gateway.until("SELECT outcome FROM sessions", [("complete",)])


async def test_a_meter_that_lost_its_bond_is_told_of_and_paired_again(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    await introduced(scene, gateway, cuff)
    before = await gateway.rows("SELECT identity, introduced FROM devices")
    await cuff.peripheral.forget()
    cuff.measure()
    await until_true(lambda: has(gateway, "meter-bond-lost/44:51"))
    assert len(await gateway.rows("SELECT id FROM readings")) == 1
    said = await paired(gateway, cuff)
    assert said.code == 0, said.out
    await gateway.until_states(pending=2)
    assert await gateway.rows("SELECT identity, introduced FROM devices") == before
    await until_true(lambda: has_not(gateway, "meter-bond-lost/44:51"))


async def test_another_meter_at_a_known_address_is_refused_and_its_bond_deleted(
    scene: Scene, gateway: Gateway
) -> None:
    home, cuff = scene.home, scene.home.cuff
    await introduced(scene, gateway, cuff)
    await take_away(home, cuff)
    identity = replace(cuff.identity, serial="SIM-9999", system_id=b"")
    other = PushMeter(home.air, CUFF, identity)
    async with asyncio.TaskGroup() as group:
        life = group.create_task(other.live(), name="the other cuff")
        other.measure()
        said = await paired(gateway, other)
        life.cancel()
    assert said.code == 1
    assert "another meter answers at this address" in said.out
    assert "hjemgate forget" in said.out
    assert len(await gateway.rows("SELECT id FROM frames")) == 1
    (keys,) = scene.folder.glob("state/virtual-radio-keys*")
    assert list(json.loads(keys.read_text()).values()) == [{}]  # of our one adapter: no bond


async def has(gateway: Gateway, condition: str) -> bool:
    return condition in await conditions(gateway)


async def has_not(gateway: Gateway, condition: str) -> bool:
    return condition not in await conditions(gateway)


async def test_a_gateway_that_lost_its_bond_reads_nothing_and_pairs_with_nobody(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    await introduced(scene, gateway, cuff)
    for keys in (scene.folder / "state").glob("virtual-radio-keys*"):
        keys.unlink()
    cuff.measure()
    await until_true(lambda: has(gateway, "meter-bond-lost/44:51"))
    assert len(await gateway.rows("SELECT id FROM frames")) == 1
    outcomes = await gateway.rows("SELECT outcome FROM sessions ORDER BY id DESC LIMIT 1")
    assert "the gateway has lost its bond" in outcomes[0][0]


async def test_adding_a_meter_opens_a_window_and_meeting_it_closes_it(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    said = await hjemgate(
        *("devices", "add", "--driver", cuff.driver, "--address", cuff.identity.address),
        *("--patient", ANNA, "--socket", gateway.socket),
    )
    assert "window for it is open for 15 min" in said.out
    assert (await device(gateway))["bond"] == "none yet"
    cuff.wake()
    await gateway.until("SELECT bond FROM devices", [("just-works",)])
    added = await control_client.request(
        gateway.socket,
        "devices add",
        driver=cuff.driver,
        address=cuff.identity.address,
        patient=ANNA,
        slot=2,
    )
    assert added["window"] is None


async def test_a_forgotten_meter_has_no_bond_any_more(scene: Scene, gateway: Gateway) -> None:
    cuff = scene.home.cuff
    assert (await paired(gateway, cuff, "--patient", ANNA)).code == 0
    await gateway.until("SELECT count(*) FROM sessions WHERE ended_at IS NULL", [(0,)])
    forget = ("forget", cuff.identity.address, "--yes", "--unsent-too", "--socket", gateway.socket)
    said = await hjemgate(*forget)
    assert (said.code, said.err) == (0, "")
    (keys,) = (scene.folder / "state").glob("virtual-radio-keys*")
    assert cuff.identity.address.lower() not in keys.read_text().lower()


async def test_a_scan_shows_meters_that_nobody_registered_and_keeps_nothing(
    scene: Scene, gateway: Gateway
) -> None:
    scene.home.cuff.wake()
    said = await hjemgate("scan", "--seconds", 2, "--socket", gateway.socket)
    assert said.code == 0
    assert "BP-SIM" in said.out
    assert "(sig_blood_pressure)" in said.out
    assert await gateway.rows("SELECT * FROM devices") == []


async def test_a_window_closes_by_itself_and_says_that_the_meter_was_not_heard(
    scene: Scene, gateway: Gateway
) -> None:
    address = scene.home.cuff.identity.address
    async with (
        control_client.conversation(
            gateway.socket, "pair", address=address, driver="sig_blood_pressure", seconds=1
        ) as told,
        asyncio.timeout(LONG_S),
    ):
        line = await anext(told.lines())
    assert line["news"]["kind"] == "closed"
    assert "was not heard" in line["news"]["words"]
