"""Held and parked rows, from the meter's octets to the technician's word and beyond."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from drivers.api import Frame
from gateway.control_client import Refused
from gateway.outbox import delivery, technician
from tests.control.desk import Desk
from tests.outbox.house import ANNA, BLOOD_PRESSURE, BODIL, NOON, House, cuff, glucose

NONSENSE = Frame(BLOOD_PRESSURE, b"\x1e\x01")


async def rows(desk: Desk, state: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.ask(state))["rows"]
    return found


async def measure(house: House, device: int, *frames: Frame) -> None:
    await house.session(device, frames)
    await house.settle()


async def test_octets_that_do_not_decode_are_listed_and_never_shown(
    desk: Desk, house: House
) -> None:
    await measure(house, await house.meter(), NONSENSE, cuff())
    (row,) = await rows(desk, "parked")
    assert row["row"] == "f1"
    assert (row["kind"], row["state"], row["meter"]) == ("frame", "parked", "blood pressure")
    assert row["reason"].startswith("decode: ")
    assert NONSENSE.octets.hex() not in str(row)
    assert await house.states() == ["pending"]


async def test_a_released_frame_is_read_anew(desk: Desk, house: House) -> None:
    await measure(house, await house.meter(), NONSENSE)
    await desk.ask("release", row="f1")
    assert await house.rows("SELECT state, attempts, reason FROM frames") == [("captured", 0, None)]
    await house.settle()
    assert len(await rows(desk, "parked")) == 1


async def test_a_discarded_frame_leaves_no_octets(desk: Desk, house: House) -> None:
    await measure(house, await house.meter(), NONSENSE)
    await desk.ask("discard", row="f1")
    assert await rows(desk, "parked") == []
    assert await house.rows("SELECT state, reason, octets FROM frames") == [
        ("ignored", technician.DISCARDED, None)
    ]


async def test_an_unknown_slot_waits_until_it_is_bound(desk: Desk, house: House) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    (row,) = await rows(desk, "held")
    assert (row["row"], row["slot"]) == ("r1", 2)
    with pytest.raises(Refused, match="use bind") as refused:
        await desk.ask("release", row="r1")
    assert refused.value.code == 1
    await desk.ask("bind", row="r1", patient=BODIL.value)
    await house.settle()
    (message,) = await house.due()
    assert BODIL.value.encode() in message.body
    assert ANNA.value.encode() not in message.body


async def test_one_reading_bound_says_nothing_of_the_next_of_its_slot(
    desk: Desk, house: House
) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await desk.ask("bind", row="r1", patient=BODIL.value)
    house.now.move(hours=1)
    await measure(house, device, cuff(140, at=NOON + timedelta(hours=1), user=2))
    assert await house.states() == ["pending", "held"]
    with pytest.raises(Refused, match="use bind"):
        await desk.ask("release", row="r2")


async def test_a_slot_bound_with_its_reading_is_bound_from_then_on(
    desk: Desk, house: House
) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await desk.ask("bind", row="r1", patient=BODIL.value, slot_also=True)
    house.now.move(hours=1)
    await measure(house, device, cuff(140, at=NOON + timedelta(hours=1), user=2))
    assert await house.states() == ["pending", "pending"]


async def test_a_slot_that_is_somebodys_is_not_taken_over(desk: Desk, house: House) -> None:
    device = await house.meter(since=NOON)
    await measure(house, device, cuff(at=NOON - timedelta(days=1)))
    with pytest.raises(Refused, match="already belongs to somebody"):
        await desk.ask("bind", row="r1", patient=BODIL.value, slot_also=True)
    await desk.ask("bind", row="r1", patient=BODIL.value)
    await house.settle()
    (message,) = await house.due()
    assert BODIL.value.encode() in message.body


async def test_a_reading_from_before_the_pairing_is_released_to_its_slots_person(
    desk: Desk, house: House
) -> None:
    device = await house.meter(since=NOON)
    await measure(house, device, cuff(at=NOON - timedelta(days=1)))
    (row,) = await rows(desk, "held")
    assert row["reason"] == "measured before this person had the meter"
    await desk.ask("release", row="r1")
    await house.settle()
    (message,) = await house.due()
    assert ANNA.value.encode() in message.body


async def test_a_released_reading_has_the_name_it_would_have_had(desk: Desk, house: House) -> None:
    """Bound in time or released later: the same id, so that a replaced gateway doubles nothing."""
    device = await house.meter(since=NOON)
    await measure(house, device, cuff(at=NOON - timedelta(days=1)))
    before = await house.rows("SELECT public_id FROM readings")
    await desk.ask("release", row="r1")
    assert await house.rows("SELECT public_id FROM readings") == before


async def test_readings_with_the_same_key_are_released_in_any_order_under_two_names(
    desk: Desk, house: House
) -> None:
    """A clock set back to factory time: the same frame twice is two measurements."""
    device = await house.meter(slot=1)
    same = cuff(at=NOON, user=2)
    await house.session(device, [same], clock=house.ours.local())
    await house.settle()
    house.now.move(days=3)
    await house.session(device, [same], clock=house.ours.local() - timedelta(days=2))
    await house.settle()
    held = [row["row"] for row in await rows(desk, "held")]
    assert held == ["r1", "r2"]
    for row in reversed(held):
        await desk.ask("bind", row=row, patient=BODIL.value)
    names = {UUID(str(name)) for (name,) in await house.rows("SELECT public_id FROM readings")}
    assert len(names) == 2


async def test_a_slot_bound_later_can_be_given_what_was_held(desk: Desk, house: House) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await house.meter(slot=2, patient=BODIL)
    await desk.ask("release", row="r1")
    await house.settle()
    (message,) = await house.due()
    assert BODIL.value.encode() in message.body


async def test_what_an_ignored_slot_held_is_not_released(desk: Desk, house: House) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await house.meter(slot=2, patient=None)
    with pytest.raises(Refused, match="slot is ignored"):
        await desk.ask("release", row="r1")
    assert await house.states() == ["held"]


async def test_a_discarded_reading_is_empty_and_does_not_come_back(
    desk: Desk, house: House
) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await desk.ask("discard", row="r1")
    await measure(house, device, cuff(user=2))
    assert await house.states() == ["ignored"]
    assert await house.rows("SELECT reading, natural_key, reason FROM readings") == [
        (None, None, technician.DISCARDED)
    ]
    assert await house.rows("SELECT count(*) FROM frames WHERE id = 1 AND octets IS NULL") == [(1,)]


async def test_a_refused_reading_is_sent_again_with_the_same_octets(
    desk: Desk, house: House
) -> None:
    await measure(house, await house.meter(), cuff())
    (message,) = await house.publish()
    assert await house.receive(message, status="rejected") == "rejected"
    (row,) = await rows(desk, "parked")
    assert row["reason"].startswith("rejected by care")
    await desk.ask("release", row="r1")
    (again,) = await house.due()
    assert (again.body, again.seq, again.attempt) == (message.body, message.seq, 1)
    assert await house.receive(again) == "received"


async def test_a_refused_reading_discarded_leaves_no_body(desk: Desk, house: House) -> None:
    await measure(house, await house.meter(), cuff())
    await house.publish()
    await house.store(delivery.refused, 1, "too large", house.now())
    await desk.ask("discard", row="r1")
    assert await house.rows("SELECT count(*) FROM bodies") == [(0,)]
    assert await house.due() == []


async def test_a_parked_reading_is_not_bound(desk: Desk, house: House) -> None:
    await measure(house, await house.meter(), cuff())
    await house.store(delivery.refused, 1, "too large", house.now())
    with pytest.raises(Refused, match="parked, not held"):
        await desk.ask("bind", row="r1", patient=BODIL.value)


async def test_a_context_without_its_record_is_nobodys_yet(desk: Desk, house: House) -> None:
    with pytest.raises(Refused, match="has not become a reading"):
        await desk.ask("bind", row="f1", patient=BODIL.value)


@pytest.mark.parametrize("do", ["release", "discard"])
@pytest.mark.parametrize("row", ["r1", "f1", "r7"])
async def test_what_waits_for_nobody_is_left_alone(
    desk: Desk, house: House, do: str, row: str
) -> None:
    await measure(house, await house.meter("sig_glucose"), glucose(1))
    with pytest.raises(Refused, match="waits for nobody") as refused:
        await desk.ask(do, row=row)
    assert refused.value.code == 1
    assert await house.states() == ["pending"]


async def test_a_technicians_word_is_a_step_of_the_journey(desk: Desk, house: House) -> None:
    device = await house.meter(slot=1)
    await measure(house, device, cuff(user=2))
    await desk.ask("bind", row="r1", patient=BODIL.value)
    steps = await house.rows("SELECT step FROM journey WHERE reading_id = 1 ORDER BY id")
    assert steps == [("held",), ("assigned",)]
