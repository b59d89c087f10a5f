"""What may befall a row out of turn: each word comes late, early, twice, forged or not at all.

The turns themselves are in test_delivery; docs/outbox.md has the table of both.
"""

from datetime import timedelta

import pytest

from drivers.api import Frame
from gateway.model import Message
from gateway.outbox import delivery, devices, receipts, technician
from gateway.outbox.delivery import Ack
from gateway.outbox.facts import facts
from gateway.outbox.receipts import ReceiptNote
from gateway.outbox.technician import Declined
from tests.outbox.house import ANNA, RESEND, House, context, cuff, glucose

GLUCOSE = 1  # the meter's row


async def one(house: House) -> Message:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.due()
    return message


async def record(house: House, *frames: Frame) -> None:
    """A glucose meter tells of *frames*."""
    await house.session(GLUCOSE, frames)
    await house.settle()


async def ack(house: House, message: Message, code: int = 0) -> None:
    acks = [Ack(message.row, message.version, code)]
    await house.store(delivery.published, acks, RESEND, True, house.now())


async def counted(house: House, name: str) -> int:
    return (await house.store(facts)).counters.get(name, 0)


async def test_a_lost_puback_leaves_the_row_due_with_the_same_bytes(house: House) -> None:
    message = await one(house)
    await house.store(delivery.untaken, [message.row], "the line was lost", house.now())
    await house.store(delivery.resend_now, house.now())
    assert await house.due() == [message]


async def test_a_lost_puback_is_made_good_by_the_receipt(house: House) -> None:
    message = await one(house)
    assert await house.receive(message) == "received"
    assert await house.due() == []


async def test_a_late_puback_for_what_was_received_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.receive(message)
    before = await house.rows("SELECT * FROM readings")
    await ack(house, message, 0x10)
    await ack(house, message)
    assert await house.rows("SELECT * FROM readings") == before


async def test_a_late_receipt_counts_whenever_it_comes(house: House) -> None:
    message = await one(house)
    for _ in range(4):
        await house.publish()
        house.now.move(hours=7)
    assert await house.receive(message) == "received"
    assert await house.due() == []


async def test_a_doubled_receipt_is_counted_and_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.publish()
    await house.receive(message)
    before = await house.rows("SELECT * FROM readings")
    house.now.move(hours=1)
    assert await house.receive(message) == "stale"
    assert await house.rows("SELECT * FROM readings") == before
    assert await counted(house, "receipts stale") == 1


async def test_a_receipt_after_the_purge_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.receive(message)
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(days=7), house.now())
    for status in ("stored", "rejected"):
        assert await house.receive(message, status) == "stale"
    assert await house.states() == ["received"]


async def test_a_rejection_after_another_receiver_stored_it_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.receive(message, by="care")
    assert await house.receive(message, "rejected", by="other") == "stale"
    assert await house.states() == ["received"]


async def test_what_a_receiver_rejected_and_then_stored_needs_nobody_any_more(
    house: House,
) -> None:
    message = await one(house)
    await house.receive(message, "rejected")
    assert await house.receive(message, "rejected") == "stale"
    assert await house.receive(message, "stored") == "received"
    assert await house.rows("SELECT state, reason FROM readings") == [("received", None)]


async def test_a_rejection_by_one_outweighs_the_others_until_it_stores_it_too(
    house: House,
) -> None:
    message = await one(house)
    required = ("commune", "region")

    async def say(by: str, status: str) -> str:
        note = ReceiptNote(str(message.id), message.epoch, message.sha256, by, status, "")
        return (await house.store(receipts.take, [note], required, house.now()))[0]

    assert await say("region", "rejected") == "rejected"
    assert await say("commune", "stored") == "waiting"
    assert await house.states() == ["parked"]
    assert await say("region", "stored") == "received"


async def test_a_rejection_by_a_stranger_parks_nothing(house: House) -> None:
    message = await one(house)
    note = ReceiptNote(str(message.id), message.epoch, message.sha256, "x", "rejected", "")
    assert await house.store(receipts.take, [note], ("care",), house.now()) == ["unknown"]
    assert await house.states() == ["pending"]


async def test_of_several_receipts_in_a_message_each_stands_for_itself(house: House) -> None:
    message = await one(house)
    good = ReceiptNote(str(message.id), message.epoch, message.sha256, "care", "stored", "")
    forged = ReceiptNote("x", message.epoch, message.sha256, "care", "stored", "")
    said = await house.store(receipts.take, [forged, good, good], (), house.now())
    assert said == ["unknown", "received", "stale"]


async def test_no_receipt_counts_before_the_reading_is_rendered(house: House) -> None:
    await house.session(await house.meter(slot=1), [cuff(user=2)])
    await house.settle()
    await house.store(lambda db: db.execute("UPDATE readings SET public_id = 'known'"))
    note = ReceiptNote("known", house.store.epoch, "", "care", "stored", "")
    assert await house.store(receipts.take, [note], (), house.now()) == ["mismatch"]
    assert await house.states() == ["held"]


async def test_words_on_the_version_before_a_correction_change_nothing(house: House) -> None:
    await house.meter("sig_glucose")
    await record(house, glucose(7))
    (old,) = await house.due()
    await record(house, context(7))
    await ack(house, old)
    assert await house.receive(old) == "mismatch"
    (new,) = await house.due()
    assert (new.id, new.version) == (old.id, 2)
    assert await house.states() == ["pending"]
    assert await house.receive(new) == "received"


@pytest.mark.parametrize("word", ["unsent", "published", "received", "purged"])
async def test_a_corrected_record_goes_out_again_from_every_state(house: House, word: str) -> None:
    """Same number and time, other octets: a collision that is a correction."""
    await house.meter("sig_glucose")
    await record(house, glucose(7, 61))
    (old,) = await house.due()
    if word != "unsent":
        await house.publish()
    if word in ("received", "purged"):
        await house.receive(old)
    if word == "purged":
        house.now.move(days=8)
        await house.store(delivery.purge, timedelta(days=7), house.now())
    await record(house, glucose(7, 72))
    (new,) = await house.due()
    assert (new.id, new.version, new.seq) == (old.id, 2, 2)
    assert (new.body != old.body, new.attempt) == (True, 1)


async def test_a_correction_before_the_first_rendering_is_no_second_version(house: House) -> None:
    await house.meter("sig_glucose")
    await house.session(GLUCOSE, [glucose(7), context(7)])
    await house.settle()
    (message,) = await house.due()
    assert message.version == 1


async def test_a_parked_reading_takes_a_correction_and_stays_parked(house: House) -> None:
    await house.meter("sig_glucose")
    await record(house, glucose(7, 61))
    await house.store(delivery.refused, 1, "packet too large (0x95)", house.now())
    await record(house, glucose(7, 72))
    assert await house.states() == ["parked"]
    await house.store(technician.release, "reading", 1, lambda *_: "", house.now())
    await house.settle()
    (message,) = await house.due()
    assert message.version == 2


async def test_a_name_that_another_reading_has_is_not_given_twice(house: House) -> None:
    """A meter that damage took away and its readings left, added again."""
    await one(house)
    ((taken,),) = await house.rows("SELECT public_id FROM readings")
    await house.session(1, [cuff(130, user=9)])
    await house.settle()
    assert await house.states() == ["pending", "held"]
    with pytest.raises(Declined, match="known already, as r1: discard r2"):
        await house.store(technician.bind, 2, ANNA, False, lambda *_: str(taken), house.now())
    assert await house.states() == ["pending", "held"]


async def test_a_gap_in_the_numbers_is_a_reading_that_somebody_keeps_back(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(100 + n, None) for n in range(3)])
    await house.settle()
    await house.store(delivery.refused, 2, "payload format not valid (0x99)", house.now())
    assert [message.seq for message in await house.publish()] == [1, 3]
    await house.session(device, [cuff(150, None)])
    await house.settle()
    await house.store(technician.release, "reading", 2, lambda *_: "", house.now())
    assert sorted(message.seq for message in await house.due()) == [2, 4]


async def test_what_waits_and_what_never_ends_leaves_the_way_free(house: House) -> None:
    """A full window of rows that wait for receipts and refusals; the next is due all the same."""
    device = await house.meter()
    await house.session(device, [cuff(100 + n, None) for n in range(30)])
    await house.settle()
    await house.publish()
    await house.session(device, [cuff(200, None)])
    await house.settle()
    assert [m.seq for m in await house.store(delivery.due, house.now(), 1)] == [31]


async def test_the_key_outlives_body_and_receipt_in_a_meter_that_tells_all_again(
    house: House,
) -> None:
    await house.meter("sig_glucose")
    memory = [part for n in range(1, 9) for part in (glucose(n, 40 + n), context(n))]
    await record(house, *memory)
    for message in await house.publish():
        await house.receive(message)
    house.now.move(days=8)
    while await house.store(delivery.purge, timedelta(days=7), house.now()):
        pass
    before = await house.rows("SELECT id, public_id, version, state FROM readings")
    await record(house, *memory)
    await record(house, *reversed(memory))
    assert await house.rows("SELECT id, public_id, version, state FROM readings") == before
    assert await house.due() == []
    assert await house.store(devices.unsent, GLUCOSE) == 0
