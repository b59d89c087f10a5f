"""Meters: added, listed and forgotten through the socket."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.control_client import Refused
from gateway.outbox import devices, sessions
from tests.control.desk import Desk, served
from tests.outbox.house import ANNA, NOON, House, cuff

ADDRESS = "C0:11:22:33:44:51"
PERSON = "urn:uuid:11111111-2222-4333-8444-555555555555"
CUFF = {"driver": "sig_blood_pressure", "address": ADDRESS}


async def test_a_meter_added_is_listed_and_the_collector_learns_of_it(desk: Desk) -> None:
    added = await desk.ask("devices add", **CUFF, patient=PERSON, slot=2)
    assert added["from"] == NOON.isoformat()
    assert desk.changes == 1
    (listed,) = (await desk.ask("devices"))["devices"]
    assert (listed["address"], listed["driver"], listed["met"]) == (ADDRESS, CUFF["driver"], False)
    assert listed["slots"] == [{"slot": 2, "ignored": False, "from": NOON.isoformat(), "to": None}]


async def test_a_patient_is_shown_only_to_whoever_asks_for_it(desk: Desk) -> None:
    await desk.ask("devices add", **CUFF, patient=PERSON)
    assert PERSON not in json.dumps(await desk.ask("devices"))
    (listed,) = (await desk.ask("devices", patients=True))["devices"]
    assert listed["slots"][0]["patient"] == PERSON


async def test_the_log_names_neither_person_nor_whole_address(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await desk.ask("devices add", **CUFF, patient=PERSON)
        await desk.ask("devices forget", address=ADDRESS)
    assert "44:51" in caplog.text
    assert ADDRESS not in caplog.text
    assert PERSON not in caplog.text


async def test_an_address_is_taken_in_any_case_and_with_hyphens(desk: Desk) -> None:
    added = await desk.ask(
        "devices add",
        driver="sig_blood_pressure",
        address="c0-11-22-33-44-51",
        patient=PERSON,
    )
    assert added["address"] == ADDRESS


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"driver": "sig_blood"}, "there are: .*sig_blood_pressure.*sig_weight_scale"),
        ({"address": "C0:11:22:33:44"}, "six pairs of hex digits"),
        ({"slot": 255}, "0 to 254"),
        ({"slot": True}, "0 to 254"),
        ({"slot": "1"}, "0 to 254"),
        ({"from": "yesterday"}, "2026-11-25T08:30"),
        ({"from": "9999-12-31T23:59:59-23:59"}, "2026-11-25T08:30"),
        ({"from": "0001-01-01"}, "2026-11-25T08:30"),
        ({"from": "9999-12-31T23:59:59"}, "2026-11-25T08:30"),
        ({"patient": "010180-1234"}, "looks like a CPR number"),
        ({"patient": "0101801234"}, "looks like a CPR number"),
        ({"patient": "Anna Hansen"}, "no spaces"),
        ({"patient": "x" * 201}, "up to 200"),
        ({"ignore": True}, "whose meter it is"),
        ({"patient": None}, "whose meter it is"),
    ],
)
async def test_a_wrong_addition_says_what_to_write(
    desk: Desk, wrong: dict[str, object], words: str
) -> None:
    with pytest.raises(Refused, match=words) as refused:
        await desk.ask("devices add", **({**CUFF, "patient": PERSON} | wrong))
    assert refused.value.code == 64
    assert (await desk.ask("devices"))["devices"] == []


@pytest.mark.parametrize(
    "patient",
    [PERSON, "Patient/17", "p/../17", "..", ".", "p_17", "17?x=1", "æ", "x" * 65],
)
async def test_a_person_by_the_servers_id_is_one_that_a_server_can_have(
    house: House, tmp_path: Path, patient: str
) -> None:
    async with served(Desk(house, tmp_path, patient_reference="logical")) as desk:
        with pytest.raises(Refused, match="the id of the Patient at the server") as refused:
            await desk.ask("devices add", **CUFF, patient=patient)
        assert refused.value.code == 64
        assert patient not in str(refused.value).split()
        assert (await desk.ask("devices"))["devices"] == []


@pytest.mark.parametrize("patient", ["17", "Anna.17-b", PERSON.removeprefix("urn:uuid:"), "x" * 64])
async def test_a_person_by_the_servers_id_is_taken(
    house: House, tmp_path: Path, patient: str
) -> None:
    async with served(Desk(house, tmp_path, patient_reference="logical")) as desk:
        await desk.ask("devices add", **CUFF, patient=patient)
        (listed,) = (await desk.ask("devices", patients=True))["devices"]
        assert listed["slots"][0]["patient"] == patient


async def test_a_slot_belongs_to_one_person_at_a_time(desk: Desk) -> None:
    await desk.ask("devices add", **CUFF, patient=PERSON)
    with pytest.raises(Refused, match="already belongs to somebody") as refused:
        await desk.ask("devices add", **CUFF, patient="urn:uuid:another")
    assert refused.value.code == 1


async def test_a_slot_can_be_ignored(desk: Desk, house: House) -> None:
    device = await house.meter(slot=1)
    await desk.ask("devices add", **CUFF, slot=2, ignore=True)
    await house.session(device, [cuff(user=2)])
    await house.settle()
    assert await house.states() == ["ignored"]


async def test_a_moment_without_offset_is_by_the_clock_of_the_home(desk: Desk) -> None:
    added = await desk.ask("devices add", **CUFF, patient=PERSON, **{"from": "2026-07-01T08:00"})
    assert added["from"] == "2026-07-01T08:00:00+02:00"


async def test_while_our_clock_is_not_set_now_is_no_beginning(
    desk: Desk, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.ours, "_assume", False)
    with pytest.raises(Refused, match="clock is not set yet"):
        await desk.ask("devices add", **CUFF, patient=PERSON)
    await desk.ask("devices add", **CUFF, patient=PERSON, **{"from": "2026-11-01"})


async def test_a_meter_with_unsent_readings_is_not_forgotten_by_mistake(
    desk: Desk, house: House
) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    with pytest.raises(Refused, match="--unsent-too"):
        await desk.ask("devices forget", address=ADDRESS)
    assert await house.states() == ["pending"]
    await desk.ask("devices forget", address=ADDRESS, unsent_too=True)
    assert await house.states() == []
    assert desk.changes == 1


async def test_nothing_of_the_person_is_left_in_the_files(desk: Desk, house: House) -> None:
    await house.session(await house.meter(patient=ANNA), [cuff()])
    await house.settle()
    await house.publish()
    await desk.ask("devices forget", address=ADDRESS, unsent_too=True)
    for table in ("devices", "bindings", "sessions", "frames", "readings", "bodies", "segments"):
        assert await house.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - constants
    steps = await house.rows("SELECT step FROM journey")
    assert steps == [("forgotten",)]


async def test_a_connected_meter_is_not_forgotten(desk: Desk, house: House) -> None:
    device = await house.meter()
    await house.store(sessions.begin, device, house.now())
    with pytest.raises(Refused, match="connected right now"):
        await desk.ask("devices forget", address=ADDRESS)


async def test_an_unknown_meter_cannot_be_forgotten(desk: Desk) -> None:
    with pytest.raises(Refused, match="not a meter of this home") as refused:
        await desk.ask("devices forget", address=ADDRESS)
    assert refused.value.code == 1


async def test_the_number_of_a_forgotten_meter_is_never_given_again(
    desk: Desk, house: House
) -> None:
    first = await house.meter()
    await desk.ask("devices forget", address=ADDRESS)
    second = await house.meter(address="C0:11:22:33:44:99")
    assert second != first
    with pytest.raises(devices.Known):
        await house.store(sessions.begin, first, house.now() + timedelta(seconds=1))
