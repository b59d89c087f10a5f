"""Later versions of a reading: what one said that the next does not is withdrawn everywhere."""

import json
from datetime import timedelta
from typing import Any

import pytest

from drivers.api import Frame, sig_uuid
from gateway.model import Message
from gateway.outbox import delivery, technician
from gateway.outbox.rotation import reseal
from gateway.outbox.technician import Declined
from gateway.outbox.withdrawal import withdraw
from tests.outbox.house import ANNA, NOON, House, context, cuff, glucose

# The same record: where blood was drawn is not said any more; it was no blood.
NOWHERE = Frame(sig_uuid(0x2A18), glucose(1).octets[:-1] + bytes([0xF2]))
CONTROL = Frame(sig_uuid(0x2A18), glucose(1).octets[:-1] + bytes([0x1A]))


async def tell(house: House, *frames: Frame) -> None:
    known = await house.rows("SELECT 1 FROM devices")
    meter = 1 if known else await house.meter("sig_glucose")
    await house.session(meter, frames)
    await house.settle()


async def told(house: House, *frames: Frame) -> Message:
    """A glucose meter tells of *frames*, and what follows is sent and received."""
    await tell(house, *frames)
    (message,) = await house.publish()
    await house.receive(message)
    return message


def said(message: Message) -> dict[str, tuple[str, str]]:
    """By identifier: the status of each Observation of a person, and how it gets there."""
    found = {}
    for entry in json.loads(message.body)["entry"]:
        resource: dict[str, Any] = entry["resource"]
        if resource["resourceType"] == "Observation" and "category" in resource:
            name = resource["identifier"][0]["value"]
            found[name] = resource["status"], entry["request"]["method"]
    return found


async def test_what_a_meter_takes_back_is_withdrawn(house: House) -> None:
    first = await told(house, glucose(1))
    second = await told(house, NOWHERE)
    assert (second.id, second.version) == (first.id, 2)
    assert set(said(second)) == set(said(first))
    assert sorted(said(second).values()) == [("amended", "PUT"), ("entered-in-error", "PUT")]


async def test_what_it_says_again_is_in_force_again(house: House) -> None:
    first = await told(house, glucose(1))
    await told(house, NOWHERE)
    third = await told(house, glucose(1))
    assert third.version == 3
    assert set(said(third)) == set(said(first))
    assert {status for status, _ in said(third).values()} == {"amended"}


async def test_a_value_that_turns_out_to_be_of_control_solution_is_withdrawn(house: House) -> None:
    first = await told(house, glucose(1))
    second = await told(house, CONTROL)
    assert (second.id, second.version) == (first.id, 2)
    assert said(second) == dict.fromkeys(said(first), ("entered-in-error", "PUT"))


async def test_before_anybody_has_it_it_is_simply_not_sent(house: House) -> None:
    meter = await house.meter("sig_glucose", since=NOON + timedelta(days=1))  # nobody's yet
    await house.session(meter, [glucose(1)])
    await house.settle()
    assert await house.states() == ["held"]
    await tell(house, CONTROL)
    assert await house.states() == ["ignored"]
    assert await house.due() == []


async def test_a_control_that_turns_out_to_be_a_persons_value_is_sent(house: House) -> None:
    await tell(house, CONTROL)
    assert await house.states() == ["ignored"]
    message = await told(house, glucose(1))
    assert message.version == 1
    assert {status for status, _ in said(message).values()} == {"final"}


async def test_a_technician_withdraws_what_was_sent(house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (first,) = await house.publish()
    await house.receive(first)
    await house.store(withdraw, 1, house.now())
    await house.settle()
    (second,) = await house.due()
    assert (second.id, second.version) == (first.id, 2)
    assert said(second) == dict.fromkeys(said(first), ("entered-in-error", "PUT"))
    assert await house.receive(second) == "received"


async def test_withdrawn_by_mistake_it_is_put_back(house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (first,) = await house.publish()
    await house.store(withdraw, str(first.id)[:8], house.now())
    await house.store(withdraw, 1, house.now(), undo=True)
    await house.settle()
    (third,) = await house.due()
    assert third.version == 2  # the withdrawal had not been made into a message yet
    assert {status for status, _ in said(third).values()} == {"amended"}


async def test_what_its_meter_says_later_does_not_put_it_back(house: House) -> None:
    await told(house, glucose(1))
    await house.store(withdraw, 1, house.now())
    await house.settle()
    message = await told(house, context(1))
    assert {status for status, _ in said(message).values()} == {"entered-in-error"}


async def test_what_is_parked_after_it_was_sent_can_be_withdrawn(house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (first,) = await house.publish()
    await house.receive(first, "rejected")
    await house.store(withdraw, 1, house.now())
    await house.settle()
    (second,) = await house.due()
    assert {status for status, _ in said(second).values()} == {"entered-in-error"}


@pytest.mark.parametrize(
    ("state", "why"),
    [("held", "discard"), ("ignored", "not forwarded"), ("pending", "not been sent")],
)
async def test_what_nobody_has_cannot_be_withdrawn(house: House, state: str, why: str) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    await house.store(lambda db: db.execute("UPDATE readings SET state = ?, seq = NULL", state))
    with pytest.raises(Declined, match=why):
        await house.store(withdraw, 1, house.now())


async def test_what_is_purged_is_withdrawn_elsewhere(house: House) -> None:
    await told(house, glucose(1))
    house.now.move(days=8)
    await house.store(delivery.purge, house.now() - house.now(), house.now())
    with pytest.raises(Declined, match="purged"):
        await house.store(withdraw, 1, house.now())
    assert await house.rows("SELECT former FROM readings") == [(None,)]


async def test_twice_is_once(house: House) -> None:
    await told(house, glucose(1))
    with pytest.raises(Declined, match="not withdrawn"):
        await house.store(withdraw, 1, house.now(), undo=True)
    await house.store(withdraw, 1, house.now())
    with pytest.raises(Declined, match="already"):
        await house.store(withdraw, 1, house.now())


async def test_a_corrected_time_is_the_time(house: House) -> None:
    """The person sets the clock that the meter shows: the same record with another offset."""
    plain = glucose(1).octets
    moved = (
        bytes([plain[0] | 1]) + plain[1:10] + (-30).to_bytes(2, "little", signed=True) + plain[10:]
    )
    first = await told(house, glucose(1))
    await tell(house, Frame(sig_uuid(0x2A18), moved))
    (second,) = await house.due()
    assert (second.id, second.version) == (first.id, 2)
    assert first.taken_at is not None
    assert second.taken_at is not None
    assert (second.taken_at - first.taken_at).total_seconds() == -1800


async def test_discarding_leaves_nothing_of_earlier_versions(house: House) -> None:
    first = await told(house, glucose(1), context(1))
    await tell(house, context(1, meal=2))
    (second,) = await house.publish()
    assert second.id == first.id
    await house.receive(second, "rejected")
    await house.store(technician.discard, "reading", 1, house.now())
    assert await house.rows("SELECT former, reading FROM readings") == [(None, None)]


async def test_what_was_said_is_sealed_and_follows_a_new_key(house: House) -> None:
    await told(house, glucose(1), context(1))
    await told(house, context(1, meal=2))
    (row,) = await house.rows("SELECT former FROM readings")
    assert isinstance(row[0], bytes)
    assert ANNA.value.encode() not in row[0]
    assert b"meal" not in row[0]
    assert await house.store(reseal) == 0  # all of it is of the present key


async def test_a_correction_of_what_is_purged_is_a_new_version(house: House) -> None:
    first = await told(house, glucose(1))
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(0), house.now())
    await tell(house, glucose(1))
    assert await house.due() == []  # the same octets
    second = await told(house, glucose(1, mmol=62))
    assert (second.id, second.version) == (first.id, 2)
    assert {status for status, _ in said(second).values()} == {"amended"}


async def test_what_is_purged_and_turns_out_to_be_no_persons_is_withdrawn(house: House) -> None:
    first = await told(house, glucose(1))
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(0), house.now())
    second = await told(house, CONTROL)
    withdrawn = {name for name, (status, _) in said(second).items() if status != "amended"}
    assert withdrawn <= set(said(first))
    assert {status for status, _ in said(second).values()} == {"entered-in-error"}


async def test_a_fault_of_the_time_that_is_told_later_takes_the_time_away(house: House) -> None:
    first = await told(house, glucose(1))
    assert first.taken_at is not None
    faulty = (
        bytes([glucose(1).octets[0] | 8]) + glucose(1).octets[1:] + (1 << 11).to_bytes(2, "little")
    )
    second = await told(house, Frame(sig_uuid(0x2A18), faulty))
    assert (second.id, second.taken_at) == (first.id, None)


async def test_each_version_is_issued_when_it_came(house: House) -> None:
    first = await told(house, glucose(1))
    house.now.move(hours=2)
    second = await told(house, glucose(1, mmol=62))
    moments = [json.loads(each.body)["timestamp"] for each in (first, second)]
    assert moments == ["2026-11-24T12:00:00.000+01:00", "2026-11-24T14:00:00.000+01:00"]
