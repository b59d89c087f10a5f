"""`hjemgate pair`, with the whole gateway between virtual meters and a person."""

import asyncio
import json
import os
import pty
from typing import Any

from gateway import control_client
from simulator.meters.push import PushMeter
from tests.commands.terminal import Said, finish, start
from tests.daemon.scene import ANNA, LONG_S, Gateway, Scene

SHOWN = 123456
NOTHING: list[tuple[Any, ...]] = []


def words(meter: PushMeter, *more: object) -> tuple[object, ...]:
    return ("pair", "--address", meter.identity.address, *more)


async def paired(gateway: Gateway, meter: PushMeter, *more: object) -> Said:
    """What `hjemgate pair` says while the meter is in pairing mode."""
    process = await start(*words(meter, *more), "--socket", gateway.socket)
    async with asyncio.TaskGroup() as group:
        waking = group.create_task(keep_awake(meter), name="pairing mode")
        said = await finish(process)
        waking.cancel()
    assert "Traceback" not in said.err
    return said


async def keep_awake(meter: PushMeter) -> None:
    """A meter stays in pairing mode for a while; virtual ones hang up after an idle moment."""
    while True:
        meter.wake()
        await asyncio.sleep(0.3)


async def test_a_meter_is_chosen_by_its_address_paired_and_given_its_person(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    said = await paired(gateway, cuff, "--patient", ANNA, "--slot", 1, "--json")
    assert said.code == 0, said.err
    told = [json.loads(line) for line in said.out.splitlines()]
    assert [each["kind"] for each in told][-2:] == ["paired", "given"]
    assert told[-2]["serial"] == cuff.identity.serial
    assert await gateway.rows("SELECT bond, driver FROM devices") == [
        ("just-works", "sig_blood_pressure")
    ]
    cuff.measure()
    await gateway.until_states(pending=1)


async def test_a_passkey_that_is_given_is_used(scene: Scene, gateway: Gateway) -> None:
    cuff = scene.home.cuff
    cuff.peripheral.passkey = SHOWN
    said = await paired(gateway, cuff, "--patient", ANNA, "--passkey", SHOWN)
    assert said.code == 0, said.err
    assert "paired by passkey" in said.out
    assert await gateway.rows("SELECT bond FROM devices") == [("passkey",)]


async def test_a_wrong_passkey_is_refused_and_said(scene: Scene, gateway: Gateway) -> None:
    cuff = scene.home.cuff
    cuff.peripheral.passkey = SHOWN
    said = await paired(gateway, cuff, "--patient", ANNA, "--passkey", SHOWN + 1)
    assert said.code == 1
    assert "the meter refuses the passkey that was given" in said.out
    assert "the passkey that was given is wrong" in said.out
    assert await gateway.rows("SELECT bond, identity FROM devices") == [("none yet", None)]
    assert str(SHOWN + 1) not in said.out


async def test_a_passkey_is_typed_when_the_meter_shows_one(scene: Scene, gateway: Gateway) -> None:
    cuff = scene.home.cuff
    cuff.peripheral.passkey = SHOWN
    person, terminal = pty.openpty()
    try:
        process = await start(
            *words(cuff, "--driver", cuff.driver, "--patient", ANNA, "--socket", gateway.socket),
            stdin=terminal,
        )
        assert process.stdout is not None
        cuff.wake()
        async with asyncio.timeout(20.0):
            while b"six digits" not in await process.stdout.readline():
                pass
        os.write(person, f"{SHOWN}\n".encode())
        said = await finish(process)
    finally:
        os.close(terminal)
        os.close(person)
    assert said.code == 0, said.err
    assert "paired by passkey" in said.out


async def test_a_meter_is_chosen_by_the_number_of_its_line(scene: Scene, gateway: Gateway) -> None:
    scale, cuff = scene.home.scale, scene.home.cuff
    person, terminal = pty.openpty()
    try:
        process = await start(
            *("pair", "--patient", ANNA, "--slot", 1, "--socket", gateway.socket), stdin=terminal
        )
        assert process.stdout is not None
        async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
            waking = [
                group.create_task(keep_awake(each), name="pairing mode") for each in (scale, cuff)
            ]
            listed: list[str] = []
            while len(listed) < 3:  # the invitation, then each once
                listed.append((await process.stdout.readline()).decode())
            number = next(line.split()[0] for line in listed if cuff.identity.address in line)
            os.write(person, f"3\n{number}\n".encode())  # there is no third
            said = await finish(process)
            for each in waking:
                each.cancel()
    finally:
        os.close(terminal)
        os.close(person)
    assert said.code == 0, said.err
    assert "'3' is none of these numbers" in said.err
    assert await gateway.rows("SELECT address, driver FROM devices") == [
        (cuff.identity.address, cuff.driver)
    ]


async def test_the_window_closes_when_the_technician_leaves(scene: Scene, gateway: Gateway) -> None:
    address = scene.home.cuff.identity.address
    async with control_client.conversation(
        gateway.socket, "pair", address=address, driver="sig_blood_pressure"
    ) as told:
        assert told.first["seconds"] == 300
    scene.home.cuff.wake()
    await asyncio.sleep(1.0)
    assert await gateway.rows("SELECT identity FROM devices") == [(None,)]
    assert await gateway.rows("SELECT * FROM sessions") == NOTHING


async def test_a_meter_that_was_registered_is_not_paired_without_a_window(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    await control_client.request(
        gateway.socket,
        "devices add",
        driver=cuff.driver,
        address=cuff.identity.address,
        patient=ANNA,
        no_window=True,
    )
    cuff.measure()
    await asyncio.sleep(1.0)
    assert await gateway.rows("SELECT * FROM sessions") == NOTHING
    status = (await control_client.request(gateway.socket, "status"))["status"]
    (condition,) = [each for each in status["conditions"] if "pairing" in each["id"]]
    assert "hjemgate pair" in condition["text"]


async def test_a_meter_that_is_nobodys_is_paired_and_not_read(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    cuff.measure()
    async with control_client.conversation(
        gateway.socket, "pair", address=cuff.identity.address, driver=cuff.driver
    ) as told:
        kinds = await news(told)
    assert kinds[-2:] == ["paired", "closed"]
    assert cuff.collected == []
    await scene.add(cuff)
    cuff.measure()
    await gateway.until_states(pending=2)


async def test_what_a_recycled_meter_remembers_of_a_stranger_is_held(
    scene: Scene, gateway: Gateway
) -> None:
    glucose = scene.home.glucose
    process = await start(
        *("pair", "--address", glucose.identity.address, "--driver", glucose.driver),
        *("--patient", ANNA, "--socket", gateway.socket),
    )
    glucose.wake()
    said = await finish(process)
    assert said.code == 0, said.err
    await gateway.until_states(held=200)
    glucose.measure()
    await gateway.until_states(held=200, pending=1)


async def test_a_test_reading_is_told_of_and_its_values_only_when_asked_for(
    scene: Scene, gateway: Gateway
) -> None:
    cuff = scene.home.cuff
    for more, shown in (((), False), (("--show",), True)):
        process = await start(
            *words(cuff, "--driver", cuff.driver, "--test", "--patient", ANNA, *more)
            if not shown
            else words(cuff, "--test", *more),
            *("--slot", 1) if not shown else (),
            "--socket",
            gateway.socket,
        )
        said = await measured(process, cuff)
        assert said.code == 0, said.err
        assert "A reading has arrived" in said.out
        assert ("systolic" in said.out) is shown


async def news(told: control_client.Conversation) -> list[str]:
    """What kinds of news there are until the window closes."""
    kinds: list[str] = []
    async with asyncio.timeout(LONG_S):
        async for line in told.lines():
            kinds.append(line["news"]["kind"])
            if kinds[-1] == "closed":
                break
    return kinds


async def measured(process: asyncio.subprocess.Process, cuff: PushMeter) -> Said:
    """What it says when somebody measures as soon as it says so."""
    assert process.stdout is not None
    out = ""
    async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
        waking = group.create_task(keep_awake(cuff), name="pairing mode")
        while "Measure once" not in out and (line := await process.stdout.readline()):
            out += line.decode()
        waking.cancel()
    cuff.measure()
    said = await finish(process)
    return Said(said.code, out + said.out, said.err)


async def test_readings_of_others_go_on_while_a_meter_is_paired(
    scene: Scene, gateway: Gateway
) -> None:
    await scene.add(scene.home.scale)
    async with control_client.conversation(
        gateway.socket,
        "pair",
        address=scene.home.cuff.identity.address,
        driver="sig_blood_pressure",
    ) as told:
        scene.home.scale.measure()
        await gateway.until_states(pending=1)
        scene.home.cuff.wake()
        kinds = await news(told)
    assert "paired" in kinds
