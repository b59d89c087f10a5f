"""Trust by a receipt's time: frames in, times out; receivers that are late, wrong or hostile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import pytest

from gateway.backoff import Backoff
from gateway.contract import Publication, Receipt, Receipts, Topics
from gateway.deliver import Deliver, Duty
from gateway.downlink import Downlink
from gateway.live import UplinkFacts
from gateway.model import Message
from gateway.outbox.delivery import Resend
from gateway.uplink import Incoming, Uplink
from gateway.witness import AGREES, AT_ONCE, Witness
from tests.clock.home import HOUR, SECOND, Home, Meter, near
from tests.clock.quiet import Quiet, obey_nobody
from tests.outbox.house import cuff

TOPICS = Topics("org1", "gw-7f3ak2m9qd")


def incoming(receipt: Receipt, *, retain: bool = False) -> Incoming:
    body = Receipts(receipts=(receipt,)).model_dump_json().encode()
    return Incoming(TOPICS.receipt, body, retain, "application/json", None, None)


class Line:
    """What goes up from a home and what comes down; the broker is left out."""

    def __init__(self, home: Home, required: tuple[str, ...] = ()) -> None:
        self.home = home
        self.witness = Witness(home.store, home.ours)
        facts = UplinkFacts()
        self._down = Downlink(
            home.store, TOPICS, required, home.ours, facts, obey_nobody, self.witness
        )

    async def send(self) -> Message:
        """What is due goes up and is taken."""
        for message in await self.home.due():
            self.witness.sent(message)
        (message,) = await self.home.publish()
        return message

    async def receive(
        self, message: Message, at: datetime, by: str = "care", *, retain: bool = False, **but: str
    ) -> None:
        """A receipt whose time is *at*; *but* forges parts of it."""
        said = {"id": str(message.id), "epoch": message.epoch, "sha256": message.sha256}
        receipt = Receipt.model_validate({**said, "by": by, "status": "stored", "at": at, **but})
        await self._down.take(incoming(receipt, retain=retain))


async def a_line(home: Home, required: tuple[str, ...] = ()) -> Line:
    """A clock that is right, and that nobody has ever synchronised; a reading that was given up
    for undated after 24 hours is ready to go.
    """
    line = Line(home, required)
    await line.witness.begin()
    await home.visit(Meter(), [cuff(150, None)])
    home.box.move(hours=24)
    await home.settle()
    assert await home.told() == [None]
    return line


@pytest.fixture
async def line(home: Home) -> Line:
    return await a_line(home)


async def test_a_receipt_that_comes_at_once_and_agrees_is_believed_and_marked(
    home: Home, line: Line
) -> None:
    message = await line.send()
    home.box.move(seconds=2)
    await line.receive(message, home.box.at - SECOND)
    assert home.ours.source == "receipt"
    assert home.ours.trusted


async def test_what_was_held_is_resolved_to_the_second_by_a_receipt(home: Home, line: Line) -> None:
    meter, taken = Meter(), home.box.at
    meter.measure(taken - HOUR)
    meter.measure(taken)
    await home.visit(meter)
    await home.settle()
    assert len(await home.times()) == 1, "held"
    home.box.move(hours=2)
    message = await line.send()
    await line.receive(message, home.box.at)
    await home.settle()
    assert near(await home.times(), [None, taken - HOUR, taken])
    later = home.box.at + HOUR
    home.box.at = later
    await home.visit(meter, [meter.measure(later, 122)])
    await home.settle()
    assert near((await home.times())[3:], [later])
    assert b"532226" not in (await home.due())[0].body, "no network time is claimed"


@pytest.mark.parametrize("off", [AGREES + SECOND, -AGREES - SECOND, timedelta(days=-700)])
async def test_a_receivers_clock_that_differs_changes_nothing(
    home: Home, line: Line, off: timedelta
) -> None:
    message = await line.send()
    await line.receive(message, home.box.at + off)
    assert home.ours.source == "none"
    assert await home.states() == ["received"], "it is a receipt all the same"


async def test_a_clock_that_is_years_behind_is_neither_believed_nor_set(
    home: Home, line: Line
) -> None:
    home.box.error = -timedelta(days=700)
    message = await line.send()
    await line.receive(message, home.box.at)
    assert not home.ours.trusted
    assert home.ours.utc() == home.box.at - timedelta(days=700)


async def test_a_receipt_that_lay_at_the_broker_proves_nothing(home: Home, line: Line) -> None:
    message = await line.send()
    at = home.box.at
    home.box.move(seconds=AT_ONCE.total_seconds() + 1)
    home.box.error = at - home.box.at  # where it was when the box was switched off
    await line.receive(message, at)
    assert not home.ours.trusted


async def test_a_receipt_for_what_an_earlier_life_of_the_program_made_proves_nothing(
    home: Home, line: Line
) -> None:
    """It may have gone up before, and its receipt may have lain at the broker ever since."""
    sent_before = await home.due()
    home.box.move(days=2)
    home.reboot()
    home.box.error = -timedelta(days=2)
    again = Line(home)
    await again.witness.begin()
    message = await again.send()
    assert [each.id for each in sent_before] == [message.id]
    await again.receive(message, home.now())
    assert not home.ours.trusted


async def test_a_receipt_never_moves_time_behind_what_is_known(home: Home, line: Line) -> None:
    home.synchronise()
    home.box.move(days=1)
    await home.visit(Meter(), [cuff(160, None)])
    home.flag.unlink()
    home.box.error = -timedelta(hours=12)
    message = await line.send()
    await line.receive(message, home.now())
    assert not home.ours.trusted


@pytest.mark.parametrize(
    "forged",
    [
        {"sha256": "0" * 64},
        {"epoch": "another"},
        {"id": "00000000-0000-4000-8000-000000000000"},
        {"status": "rejected"},
        {"status": "delivered"},
    ],
    ids=["digest", "epoch", "id", "rejected", "delivered"],
)
async def test_a_receipt_that_stores_nothing_of_ours_proves_nothing(
    home: Home, line: Line, forged: dict[str, Any]
) -> None:
    message = await line.send()
    await line.receive(message, home.box.at, **forged)
    assert not home.ours.trusted


async def test_a_retained_receipt_proves_nothing(home: Home, line: Line) -> None:
    message = await line.send()
    await line.receive(message, home.box.at, retain=True)
    assert not home.ours.trusted


async def test_where_receivers_are_named_another_proves_nothing(home: Home) -> None:
    line = await a_line(home, ("hospital",))
    message = await line.send()
    await line.receive(message, home.box.at, by="anybody")
    assert not home.ours.trusted
    await line.receive(message, home.box.at, by="hospital")
    assert home.ours.trusted


async def test_a_second_receipt_for_the_same_reading_proves_nothing(home: Home, line: Line) -> None:
    message = await line.send()
    await line.receive(message, home.box.at + HOUR)
    await line.receive(message, home.box.at)
    assert not home.ours.trusted


async def test_trust_by_a_receipt_ends_when_our_clock_is_stepped(home: Home, line: Line) -> None:
    message = await line.send()
    await line.receive(message, home.box.at)
    assert home.ours.trusted
    home.box.error = timedelta(minutes=5)
    assert not home.ours.trusted
    home.box.error = timedelta()
    assert home.ours.trusted


async def test_network_time_takes_the_place_of_a_receipts(home: Home, line: Line) -> None:
    message = await line.send()
    await line.receive(message, home.box.at)
    home.synchronise()
    assert home.ours.source == "ntp"


class Answering:
    """A broker with a receiver behind it whose clock is the truth, and which answers at once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._down: asyncio.Queue[Incoming] = asyncio.Queue()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Answering"]:
        yield self

    async def subscribe(self, *topics: str) -> None: ...

    async def publish(self, publication: Publication) -> int:
        said = dict(publication.properties)
        if publication.topic == TOPICS.observation:
            receipt = Receipt(
                id=UUID(said["id"]),
                epoch=said["epoch"],
                sha256=sha256(publication.body).hexdigest(),
                by="care",
                status="stored",
                at=self._home.box.at,
            )
            self._down.put_nowait(incoming(receipt))
        return 0

    async def messages(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._down.get()


async def test_a_delivery_that_is_answered_at_once_ends_the_wait_for_our_clock(home: Home) -> None:
    deliver = Deliver(
        home.store,
        cast("Uplink", Answering(home)),  # it has what Deliver asks of one
        Duty(TOPICS, Resend(HOUR, HOUR), receipts=True, required=(), window=20),
        Quiet(),
        home.ours,
        UplinkFacts(),
        Backoff(),
        obey_nobody,
    )
    async with asyncio.timeout(30.0), asyncio.TaskGroup() as group:
        delivering = group.create_task(deliver.run())
        await asyncio.sleep(0)  # it begins before there is anything to send
        await home.visit(Meter(), [cuff(150, None)])
        home.box.move(hours=23)
        meter, taken = Meter(), home.box.at
        await home.visit(meter, [meter.measure(taken)])
        home.box.move(hours=1)
        while not home.ours.trusted:
            await home.settle()
            await asyncio.sleep(0.01)
        await home.settle()
        delivering.cancel()
    assert home.ours.source == "receipt"
    assert near(await home.times(), [None, taken])
