"""`hjemgate status` and `hjemgate watch`: what a technician sees."""

import json

from gateway.contract import Status
from gateway.outbox import devices
from tests.commands.terminal import finish, hjemgate, start
from tests.control.desk import Desk
from tests.outbox.house import ANNA, House, cuff


async def test_what_needs_somebody_is_said_and_exits_with_1(desk: Desk, house: House) -> None:
    await house.session(await house.meter(slot=1), [cuff(user=2)])
    await house.settle()
    said = await hjemgate("status", "--socket", desk.socket)
    assert said.code == 1
    assert [line for line in said.out.splitlines() if line.startswith("! ")]
    assert "hjemgate held" in said.out
    assert "1 held, 0 parked" in said.out


async def test_a_gateway_that_is_well_exits_with_0(desk: Desk, house: House) -> None:
    desk.live.uplink.connected_at = house.now()
    desk.live.radio.scanning = True
    said = await hjemgate("status", "--socket", desk.socket)
    assert said.code == 0
    assert "online since 2026-11-24 12:00" in said.out
    assert said.out.endswith("\nNothing needs anybody.\n")


async def test_status_counts_what_is_on_its_way(desk: Desk, house: House) -> None:
    device = await house.meter()
    await house.store(devices.set_battery, device, 80)
    await house.session(device, [cuff(), cuff(130, None)])
    await house.settle()
    await house.publish()
    await house.session(device, [cuff(140, None)])
    await house.settle()
    said = await hjemgate("status", "--socket", desk.socket)
    assert "1 not sent yet, 2 sent and not confirmed yet; the oldest is number 1, " in said.out
    assert "last taken:     " in said.out
    assert "last written just now" in said.out
    (meter,) = [line for line in said.out.splitlines() if line.startswith("blood pressure")]
    assert "..44:51" in meter
    assert "80 %" in meter
    assert "121" not in said.out
    assert ANNA.value not in said.out


async def test_status_as_json_is_the_document_of_the_contract(desk: Desk, house: House) -> None:
    message_at = house.now()
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    facts = (await hjemgate("status", "--json", "--socket", desk.socket)).facts
    assert facts.pop("last_receipt") == message_at.isoformat()
    assert Status.model_validate(facts).rows.received == 1


async def test_watch_follows_a_reading_in_plain_words(desk: Desk, house: House) -> None:
    device = await house.meter()
    process = await start("watch", "--socket", desk.socket, "--after", 0)
    assert process.stdout is not None
    await process.stdout.readline()  # the meter; it follows from here on
    await house.session(device, [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    lines = [(await process.stdout.readline()).decode().rstrip() for _ in range(4)]
    process.terminate()
    await finish(process)
    assert lines == [
        "12:00:00  blood pressure  received from the meter",
        "12:00:00  blood pressure  stored",
        "12:00:00  blood pressure  sent",
        "12:00:00  blood pressure  confirmed by care",
    ]


async def test_watch_as_json_is_one_object_a_line(desk: Desk, house: House) -> None:
    device = await house.meter()
    process = await start("watch", "--json", "--socket", desk.socket, "--after", 0)
    assert process.stdout is not None
    step = json.loads(await process.stdout.readline())
    process.terminate()
    await finish(process)
    assert (step["step"], step["device"], step["driver"]) == ("bound", device, "sig_blood_pressure")
