"""Each word of a broker and a receiver, by way of Deliver, to the row and its state."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from gateway import contract
from gateway.backoff import Backoff
from gateway.contract import Publication, Topics
from gateway.deliver import Deliver, Duty
from gateway.live import UplinkFacts
from gateway.model import Message
from gateway.outbox.delivery import Resend
from gateway.outbox.facts import facts
from gateway.uplink import Incoming, Session, Uplink, UplinkError
from gateway.uplink.client import Client
from tests.daemon.scene import LOOK_S, until
from tests.outbox.house import House, cuff

TOPICS = Topics("org1", "gw-0123456789")
RESEND = Resend(timedelta(minutes=10), timedelta(hours=6))
BAD_CODES = [0x80, 0x83, 0x87, 0x90, 0x91, 0x95, 0x97, 0x99]  # MQTT 5.0, 3.4.2.1


class Quiet:
    """Nothing to report."""

    async def document(self) -> contract.Status:
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    async def due(self, _told: contract.Status) -> contract.Status:
        return await self.document()


class Wire:
    """A broker that answers each publish by `codes` in turn, then with 0; None: not at all."""

    def __init__(self, *codes: int | None) -> None:
        self.codes = list(codes)
        self.sent: list[Publication] = []
        self.down: asyncio.Queue[Incoming] = asyncio.Queue()
        self.cut = asyncio.Event()

    async def listen(self, topic: str) -> None: ...

    async def send(self, publication: Publication, _limit_s: float) -> int:
        self.sent.append(publication)
        code = self.codes.pop(0) if self.codes else 0
        if code is None:
            await self.cut.wait()
            self.cut.clear()
            raise UplinkError("lost", "the connection ended")
        return code

    async def next_message(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")


class OneSession(Session):
    """A session of ours whose way down is a queue."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(cast("Client", wire), 1.0)  # it has what a session asks of one
        self._down = wire.down

    async def messages(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._down.get()


@dataclass
class Line:
    """Deliver at work on the rows of a house."""

    house: House
    wire: Wire
    facts: UplinkFacts = field(default_factory=UplinkFacts)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Session]:
        yield OneSession(self.wire)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        deliver = Deliver(
            self.house.store,
            cast("Uplink", self),
            Duty(TOPICS, RESEND, receipts=True, required=(), window=20),
            Quiet(),
            self.house.ours,
            self.facts,
            Backoff(0.01),
            nothing,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(deliver.run(), name="deliver")
            yield
            running.cancel()

    async def odd(self) -> int:
        """Receipts that changed nothing, wherever they are counted."""
        counters = (await self.house.store(facts)).counters
        return self.facts.odd_receipts + sum(counters.values())

    async def until_odd(self) -> None:
        async with asyncio.timeout(60):
            while not await self.odd():  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(LOOK_S)

    async def until_states(self, *states: str) -> None:
        async with asyncio.timeout(60):
            while await self.house.states() != list(states):  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(LOOK_S)


async def nothing(_: Incoming) -> None:
    """Obeys no command."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


async def message(house: House, systolic: int = 121) -> Message:
    """A reading that is ready to go."""
    if not await house.rows("SELECT 1 FROM devices"):
        await house.meter()
    await house.session(1, [cuff(systolic, None)])
    await house.settle()
    return (await house.due())[-1]


def receipt(told: Message, **but: Any) -> Incoming:
    """The care team's word on *told*; *but* forges parts of it, or of the message around it."""
    retain = but.pop("retain", False)
    one = {
        "id": str(told.id),
        "epoch": told.epoch,
        "sha256": told.sha256,
        "by": "care",
        "status": "stored",
        "at": "2026-11-24T11:00:00Z",
    } | but
    body = json.dumps({"receipts": [one]}).encode()
    return Incoming(TOPICS.receipt, body, retain, "application/json", None, None)


@pytest.mark.parametrize("code", BAD_CODES, ids=lambda code: f"0x{code:02X}")
async def test_a_bad_puback_parks_the_row_alone_or_leaves_every_row_due(
    house: House, code: int
) -> None:
    told = await message(house)
    line = Line(house, Wire(code, None))
    async with line.up():
        if code in (0x95, 0x99):
            await line.until_states("parked")
            assert line.facts.failures == 0
        else:
            await until(lambda: len(line.wire.sent) == 2)
            assert line.facts.failures == 1
            assert await house.states() == ["pending"]
            assert {each.body for each in line.wire.sent} == {told.body}
            assert await house.rows("SELECT publishes, puback FROM readings") == [(0, None)]


async def test_one_row_refused_for_good_stops_no_other(house: House) -> None:
    for systolic in (120, 121, 122):
        await message(house, systolic)
    line = Line(house, Wire(0, 0x99, 0))
    async with line.up():
        await line.until_states("published", "parked", "published")


async def test_a_lost_puback_sends_the_same_message_again_and_its_journey_tells(
    house: House,
) -> None:
    await message(house)
    line = Line(house, Wire(None))
    async with line.up():
        await until(lambda: len(line.wire.sent) == 1)
        line.wire.cut.set()
        await line.until_states("published")
    first, second = line.wire.sent
    assert first == second
    steps = await house.rows("SELECT step, detail FROM journey WHERE reading_id = 1 ORDER BY id")
    assert steps[-3:] == [
        ("untaken", "the connection ended"),
        ("sent", ""),
        ("published", ""),
    ]


async def test_no_message_outlives_the_wait_for_the_next_one(house: House) -> None:
    """Each expires at the broker when the gateway sends it again: copies never pile up."""
    await message(house)
    line = Line(house, Wire())
    for _ in range(3):
        await house.store(lambda db: db.execute("UPDATE readings SET due_at = 0"))
        async with line.up():
            count = len(line.wire.sent)
            await until(lambda count=count: len(line.wire.sent) > count)  # type: ignore[misc]
            await line.until_states("published")
    assert [each.expiry_s for each in line.wire.sent] == [600, 1200, 2400]


async def test_a_receipt_may_come_before_the_puback(house: House) -> None:
    told = await message(house)
    line = Line(house, Wire(None))
    async with line.up():
        await until(lambda: len(line.wire.sent) == 1)
        line.wire.down.put_nowait(receipt(told))
        await line.until_states("received")


FORGED: list[tuple[str, Callable[[Message], Incoming]]] = [
    ("retained", lambda told: receipt(told, retain=True)),
    ("another epoch", lambda told: receipt(told, epoch="another")),
    ("an unknown id", lambda told: receipt(told, id="00000000-0000-4000-8000-000000000000")),
    ("a wrong digest", lambda told: receipt(told, sha256="0" * 64)),
    ("a duplicate with a wrong digest", lambda t: receipt(t, status="duplicate", sha256="0" * 64)),
    ("a rejection with a wrong digest", lambda t: receipt(t, status="rejected", sha256="0" * 64)),
    ("an unknown status", lambda told: receipt(told, status="perhaps")),
    ("no JSON", lambda _: Incoming(TOPICS.receipt, b"{", False, None, None, None)),
    ("200 kB", lambda _: Incoming(TOPICS.receipt, b" " * 200_000, False, None, None, None)),
]


@pytest.mark.parametrize("forge", [f for _, f in FORGED], ids=[name for name, _ in FORGED])
async def test_a_receipt_that_is_not_for_this_reading_is_counted_once_and_changes_nothing(
    house: House, forge: Callable[[Message], Incoming]
) -> None:
    told = await message(house)
    line = Line(house, Wire())
    async with line.up():
        await line.until_states("published")
        before = await house.rows("SELECT * FROM readings")
        line.wire.down.put_nowait(forge(told))
        await line.until_odd()
        assert await house.rows("SELECT * FROM readings") == before
        assert await house.rows("SELECT * FROM receipts") == []
        line.wire.down.put_nowait(receipt(told))
        await line.until_states("received")
        assert await line.odd() == 1
