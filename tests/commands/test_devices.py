"""`hjemgate devices`, through the real socket, on real rows."""

import os
import pty

import pytest

from tests.commands.terminal import finish, hjemgate, start
from tests.control.desk import Desk
from tests.outbox.house import ANNA, BODIL, House, cuff

ADDRESS = "C0:11:22:33:44:51"
ADD = ("devices", "add", "--driver", "sig_blood_pressure", "--address", ADDRESS)


async def test_a_home_without_meters_is_told_how_to_add_one(desk: Desk) -> None:
    said = await hjemgate("devices", "--socket", desk.socket)
    assert said.code == 0
    assert "hjemgate devices add --help" in said.out


async def test_a_meter_is_added_and_listed(desk: Desk) -> None:
    said = await hjemgate(*ADD, "--patient", ANNA.value, "--slot", 2, "--socket", desk.socket)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{ADDRESS} added.")
    listed = await hjemgate("devices", "--socket", desk.socket)
    assert ADDRESS in listed.out
    assert "not met yet" in listed.out
    assert "2: from" in listed.out
    assert ANNA.value not in listed.out
    facts = (await hjemgate("devices", "list", "--json", "--socket", desk.socket)).facts
    assert [device["address"] for device in facts["devices"]] == [ADDRESS]


async def test_patients_are_shown_when_asked_for(desk: Desk, house: House) -> None:
    await house.meter()
    for words in (("devices", "--patients"), ("devices", "list", "--patients")):
        assert ANNA.value in (await hjemgate(*words, "--socket", desk.socket)).out


async def test_a_slot_can_be_nobodys(desk: Desk) -> None:
    said = await hjemgate(*ADD, "--slot", 1, "--ignore", "--json", "--socket", desk.socket)
    assert said.facts["address"] == ADDRESS
    assert "1: ignored" in (await hjemgate("devices", "--socket", desk.socket)).out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--driver", "sig_blood"), "sig_weight_scale"),
        (("--address", "C0:11"), "six pairs of hex digits"),
        (("--patient", "010190-1234"), "CPR"),
        (("--slot", "255"), "slot: expected a number from 0 to 254"),
        (("--from", "yesterday"), "is no moment"),
    ],
)
async def test_what_is_wrong_is_one_line_with_the_cure(
    desk: Desk, change: tuple[str, str], words: str
) -> None:
    said = await hjemgate(*ADD, "--patient", ANNA.value, *change, "--socket", desk.socket)
    assert said.code == 64
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert "010190" not in said.err


async def test_a_slot_that_is_taken_is_not_given_twice(desk: Desk) -> None:
    await hjemgate(*ADD, "--patient", ANNA.value, "--socket", desk.socket)
    said = await hjemgate(*ADD, "--patient", BODIL.value, "--socket", desk.socket)
    assert said.code == 1
    assert "already belongs to somebody" in said.err


async def test_forgetting_asks_and_only_yes_is_yes(desk: Desk, house: House) -> None:
    await house.meter()
    forget = ("devices", "forget", ADDRESS, "--socket", desk.socket)
    assert (await hjemgate(*forget)).code == 64  # nobody there to ask
    assert (await _answered("no\n", *forget)) == 1
    assert len(await house.rows("SELECT id FROM devices")) == 1
    assert (await _answered("yes\n", *forget)) == 0
    assert await house.rows("SELECT id FROM devices") == []


async def test_a_meter_with_unsent_readings_is_kept_unless_told_twice(
    desk: Desk, house: House
) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    forget = ("devices", "forget", ADDRESS, "--yes", "--socket", desk.socket)
    said = await hjemgate(*forget)
    assert said.code == 1
    assert "--unsent-too" in said.err
    assert (await hjemgate(*forget, "--unsent-too", "--json")).facts == {"address": ADDRESS}
    assert await house.rows("SELECT id FROM readings") == []


async def _answered(answer: str, *words: object) -> int:
    """The exit code, with somebody at a terminal who types *answer*."""
    person, terminal = pty.openpty()
    try:
        process = await start(*words, stdin=terminal)
        os.write(person, answer.encode())
        said = await finish(process)
    finally:
        os.close(terminal)
        os.close(person)
    assert "Type yes" in said.err
    return said.code
