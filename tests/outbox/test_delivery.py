"""The life of a row after it was rendered: each word of broker and receiver, and its effect."""

from datetime import timedelta

from gateway.model import Message
from gateway.outbox import delivery, receipts
from gateway.outbox.delivery import Ack
from gateway.outbox.receipts import ReceiptNote
from tests.outbox.house import RESEND, House, cuff


async def one(house: House) -> Message:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.due()
    return message


async def test_a_puback_is_not_delivery(house: House) -> None:
    await one(house)
    await house.publish()
    assert await house.states() == ["published"]
    assert await house.due() == []


async def test_a_receipt_ends_our_duty(house: House) -> None:
    message = await one(house)
    await house.publish()
    assert await house.receive(message) == "received"
    assert await house.states() == ["received"]
    house.now.move(days=1)
    assert await house.due() == []


async def test_a_receipt_may_overtake_the_puback(house: House) -> None:
    message = await one(house)
    assert await house.receive(message) == "received"
    await house.store(delivery.published, [Ack(message.row, 1, 0)], RESEND, True, house.now())
    assert await house.states() == ["received"]


async def test_nobody_listening_leaves_the_row_waiting_on_the_slow_schedule(house: House) -> None:
    await one(house)
    await house.publish(0x10)
    assert await house.states() == ["pending"]
    house.now.move(minutes=11)
    assert await house.due() == []
    house.now.move(hours=6)
    assert len(await house.due()) == 1


async def test_without_a_receipt_the_same_bytes_go_again_ever_slower(house: House) -> None:
    first = await one(house)
    pauses = []
    for _ in range(8):
        (message,) = await house.publish()
        assert (message.body, message.seq, message.sha256) == (first.body, first.seq, first.sha256)
        sent = house.now()
        while not await house.due():
            house.now.move(minutes=5)
        pauses.append((house.now() - sent) // timedelta(minutes=1))
    assert pauses == [10, 20, 40, 80, 160, 320, 360, 360]


async def test_a_row_that_waits_for_its_receipt_blocks_no_other(house: House) -> None:
    await one(house)
    await house.publish()
    device = (await house.rows("SELECT id FROM devices"))[0][0]
    await house.session(int(str(device)), [cuff(130, None)])
    await house.settle()
    assert len(await house.due()) == 1


async def test_a_receipt_for_other_bytes_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.publish()
    assert await house.receive(message, sha256="0" * 64) == "mismatch"
    assert await house.receive(message, status="duplicate", sha256="0" * 64) == "mismatch"
    assert await house.states() == ["published"]


async def test_a_receipt_of_another_epoch_or_an_unknown_id_changes_nothing(house: House) -> None:
    message = await one(house)
    await house.publish()
    assert await house.receive(message, epoch="other") == "unknown"
    assert await house.receive(message, id="00000000-0000-4000-8000-000000000000") == "unknown"
    assert await house.states() == ["published"]
    assert await house.rows("SELECT * FROM counters") == [("receipts unknown", 2)]


async def test_a_rejected_reading_is_parked_with_the_reason(house: House) -> None:
    message = await one(house)
    await house.publish()
    assert await house.receive(message, "rejected") == "rejected"
    assert await house.rows("SELECT state, reason FROM readings") == [
        ("parked", "rejected by care: because")
    ]


async def test_every_required_receiver_must_say_that_it_has_it(house: House) -> None:
    message = await one(house)
    await house.publish()
    required = ("region", "commune")
    notes = [
        ReceiptNote(str(message.id), message.epoch, message.sha256, by, "stored", "")
        for by in ("stranger", "region", "commune")
    ]
    said = [(await house.store(receipts.take, [note], required, house.now()))[0] for note in notes]
    assert said == ["unknown", "waiting", "received"]


async def test_onward_news_ends_no_duty(house: House) -> None:
    message = await one(house)
    await house.publish()
    assert await house.receive(message, "delivered") == "onward"
    assert await house.states() == ["published"]


async def test_without_receipts_a_good_puback_is_the_end(house: House) -> None:
    await one(house)
    await house.publish(0x10, receipts=False)
    assert await house.states() == ["pending"]
    house.now.move(days=1)
    await house.publish(0, receipts=False)
    assert await house.states() == ["received"]


async def test_what_the_broker_will_never_take_is_parked(house: House) -> None:
    message = await one(house)
    await house.store(delivery.refused, message.row, "packet too large (0x95)", house.now())
    assert await house.states() == ["parked"]
    assert await house.due() == []


async def test_the_body_is_purged_and_the_key_outlives_it(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    house.now.move(days=8)
    assert await house.store(delivery.purge, timedelta(days=7), house.now()) == 1
    assert await house.rows("SELECT count(*) FROM bodies") == [(0,)]
    await house.session(device, [cuff()])
    await house.settle()
    assert await house.states() == ["received"]


async def test_nothing_is_purged_before_its_time_or_without_a_receipt(house: House) -> None:
    message = await one(house)
    await house.publish()
    house.now.move(days=30)
    assert await house.store(delivery.purge, timedelta(days=7), house.now()) == 0
    await house.receive(message)
    assert await house.store(delivery.purge, timedelta(days=7), house.now()) == 0


async def test_seq_counts_without_a_gap_in_the_order_of_rendering(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(120 + n, None) for n in range(5)])
    await house.settle()
    assert [message.seq for message in await house.due()] == [1, 2, 3, 4, 5]


async def test_a_clock_that_was_ahead_keeps_no_reading_back(house: House) -> None:
    message = await one(house)
    house.now.move(days=400)
    await house.publish()
    house.now.move(days=-400)  # it has been set right, and the receipt was lost
    again = await house.store(delivery.due, house.now(), 100, (), RESEND.cap)
    assert [each.id for each in again] == [message.id]
