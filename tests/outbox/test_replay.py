"""What was confirmed is sent once more, octet for octet, for as long as its octets are kept."""

from datetime import timedelta

import pytest

from gateway import replay
from gateway.contract import ReplayResult
from gateway.model import Message
from gateway.outbox import delivery, receipts, technician
from gateway.outbox import replay as rows
from gateway.outbox.delivery import Ack
from gateway.outbox.receipts import ReceiptNote
from gateway.replay import TooMany, by_number, by_time
from tests.outbox.house import RESEND, House, cuff

KEEP = timedelta(days=7)


async def confirmed(house: House, count: int) -> list[Message]:
    """So many readings, all of them received."""
    await house.session(await house.meter(), [cuff(100 + n, None) for n in range(count)])
    await house.settle()
    messages = await house.publish()
    for message in messages:
        assert await house.receive(message) == "received"
    return messages


async def test_what_was_confirmed_goes_out_again_with_the_same_octets_and_number(
    house: House,
) -> None:
    first = await confirmed(house, 5)
    assert await by_number(house.store, 2, 4, house.now()) == ReplayResult(again=3, waiting=0)
    again = await house.due()
    assert again == first[1:4]
    assert await house.states() == ["received", *["pending"] * 3, "received"]


async def test_it_stays_due_until_it_is_confirmed_anew(house: House) -> None:
    (message,) = await confirmed(house, 1)
    await by_number(house.store, 1, None, house.now())
    await house.publish()
    assert await house.states() == ["published"]
    house.now.move(minutes=11)
    (again,) = await house.publish()
    assert (again.sha256, again.attempt) == (message.sha256, 2)
    assert await house.receive(again, "duplicate") == "received"
    house.now.move(days=1)
    assert await house.due() == []


async def test_every_required_receiver_must_confirm_it_anew(house: House) -> None:
    (message,) = await confirmed(house, 1)
    await by_number(house.store, 1, 1, house.now())
    required = ("care", "region")
    note = ReceiptNote(str(message.id), message.epoch, message.sha256, "region", "stored", "")
    assert await house.store(receipts.take, [note], required, house.now()) == ["waiting"]


async def test_without_receipts_the_brokers_word_ends_a_replay_too(house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    await house.publish(receipts=False)
    await by_number(house.store, 1, 1, house.now())
    assert len(await house.publish(receipts=False)) == 1
    assert await house.states() == ["received"]


async def test_what_is_purged_is_named_and_what_waits_anyway_is_counted(house: House) -> None:
    messages = await confirmed(house, 4)
    house.now.move(days=8)
    await house.store(delivery.purge, KEEP, house.now())
    await house.session(1, [cuff(150, None), cuff(151, None)])
    await house.settle()
    for message in await house.due():
        if message.seq == 5:
            await house.store(
                delivery.published, [Ack(message.row, 1, 0)], RESEND, True, house.now()
            )
            await house.receive(message)
    assert len(messages) == 4
    told = await by_number(house.store, 1, 99, house.now())
    assert told == ReplayResult(again=1, waiting=1, gone=((1, 4),))


async def test_numbers_behind_which_nothing_may_be_sent_are_named(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(100 + n, None) for n in range(5)])
    await house.settle()
    messages = await house.publish()
    for message in messages:
        await house.receive(message, "rejected" if message.seq in (2, 3) else "stored")
    await house.store(technician.discard, "reading", 2, house.now())
    told = await by_number(house.store, 1, None, house.now())
    assert told == ReplayResult(again=3, waiting=0, void=((2, 3),))


async def test_the_number_of_a_version_that_was_corrected_stands_for_nothing(house: House) -> None:
    await confirmed(house, 3)
    await house.store(lambda db: db.execute("UPDATE readings SET seq = NULL WHERE seq = 2"))
    told = await by_number(house.store, 1, 3, house.now())
    assert (told.again, told.void) == (2, ((2, 2),))


async def test_a_moment_may_be_named_instead_of_numbers(house: House) -> None:
    await confirmed(house, 2)
    house.now.move(hours=1)
    later = house.now()
    await house.session(1, [cuff(150, None)])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    assert await by_time(house.store, later, house.now()) == ReplayResult(again=1, waiting=0)
    assert [each.id for each in await house.due()] == [message.id]


async def test_what_lost_its_number_with_its_epoch_is_given_the_next(house: House) -> None:
    (message,) = await confirmed(house, 1)
    await house.store(lambda db: db.execute("UPDATE readings SET seq = NULL"))
    assert (await by_time(house.store, house.now(), house.now())).again == 1
    (again,) = await house.due()
    assert (again.body, again.id, again.seq) == (message.body, message.id, 2)


async def test_more_than_can_be_looked_at_at_once_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await confirmed(house, 4)
    monkeypatch.setattr(rows, "MOST", 3)
    with pytest.raises(TooMany, match="at most 3 numbers"):
        await by_number(house.store, 1, None, house.now())
    with pytest.raises(TooMany, match="a later moment"):
        await by_time(house.store, house.now(), house.now())
    assert set(await house.states()) == {"received"}


async def test_more_gaps_than_an_answer_can_name_are_refused_and_nothing_is_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await confirmed(house, 6)
    await house.store(lambda db: db.execute("UPDATE readings SET seq = NULL WHERE seq % 2"))
    monkeypatch.setattr(replay, "MAX_SPANS", 2)
    with pytest.raises(TooMany, match="more than 2 gaps"):
        await by_number(house.store, 1, 6, house.now())
    assert set(await house.states()) == {"received"}
    assert (await by_number(house.store, 1, 4, house.now())).again == 2


async def test_a_replay_asked_for_twice_sends_once(house: House) -> None:
    await confirmed(house, 2)
    await by_number(house.store, 1, 2, house.now())
    assert await by_number(house.store, 1, 2, house.now()) == ReplayResult(again=0, waiting=2)
