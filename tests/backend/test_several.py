"""Three receivers share one subscription and one PostgreSQL; one after the other is killed."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID

from backend.store import open_database
from backend.store.looks import missing
from gateway import contract
from gateway.contract import Topics
from gateway.model import Message
from gateway.uplink import Session
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import GATEWAY, ORGANISATION, OTHER, message
from tests.backend.postgres import Postgres
from tests.backend.running import RECEIVERS, Receiver

KILLS = 6
A_ROUND = 25  # readings of a gateway before each
RESEND_S = 0.5
LONG_S = 240.0
FIRST = {GATEWAY: 0, OTHER: 1000}  # of the readings of each


@dataclass
class Sender:
    """A gateway that sends every reading until a receipt for it has come."""

    name: str
    session: Session
    messages: dict[UUID, Message] = field(default_factory=dict)
    measured: set[UUID] = field(default_factory=set)
    receipts: list[contract.Receipt] = field(default_factory=list)
    over: bool = False  # nothing more is measured

    def measure(self) -> None:
        for seq in range(len(self.measured) + 1, len(self.measured) + A_ROUND + 1):
            each = message(FIRST[self.name] + seq, gateway=self.name, seq=seq)
            self.messages[each.id] = each
            self.measured.add(each.id)

    @property
    def topics(self) -> Topics:
        return Topics(ORGANISATION, self.name)

    async def run(self) -> None:
        await self.session.subscribe(self.topics.receipt)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen(), name=f"{self.name} listens")
            while self.messages or not self.over:
                for each in list(self.messages.values()):
                    if each.id in self.messages:
                        await self.session.publish(contract.observation(self.topics, each, 60))
                await asyncio.sleep(RESEND_S)
            listening.cancel()

    async def _listen(self) -> None:
        async for incoming in self.session.messages():
            for receipt in contract.parse_receipts(incoming.body).receipts:
                self.receipts.append(receipt)
                self.messages.pop(receipt.id, None)


async def trouble(senders: list[Sender], receivers: list[Receiver]) -> None:
    """One receiver at a time, at any moment of its work; it comes back."""
    dice = random.Random()  # noqa: S311
    for _ in range(KILLS):
        for sender in senders:
            sender.measure()
        await asyncio.sleep(dice.uniform(0.0, RESEND_S + 0.2))
        unlucky = dice.choice(receivers)
        await unlucky.kill()
        await asyncio.sleep(dice.uniform(0.0, RESEND_S))
        await unlucky.start()
    for sender in senders:
        sender.over = True


async def test_nothing_is_lost_and_nothing_doubled(
    broker: Broker, authority: Authority, postgres: Postgres
) -> None:
    address = postgres.database()
    receivers = [
        Receiver(broker, authority, address, "--by", "care-team", "--share", "care", name=name)
        for name in RECEIVERS
    ]
    async with asyncio.timeout(LONG_S), AsyncExitStack() as stack:
        for receiver in receivers:
            await stack.enter_async_context(receiver)
        senders = []
        for name in FIRST:
            up = running.uplink(broker, authority, name)
            senders.append(Sender(name, await stack.enter_async_context(up.connect())))
        async with asyncio.TaskGroup() as group:
            for sender in senders:
                group.create_task(sender.run(), name=sender.name)
            group.create_task(trouble(senders, receivers), name="trouble")
        held = receivers[0].held()
    assert len(held) == 2 * KILLS * A_ROUND
    for sender in senders:
        assert {each.id for each in held if each.gateway == sender.name} == sender.measured
    said = [receipt for sender in senders for receipt in sender.receipts]
    assert {receipt.status for receipt in said} <= {"stored", "duplicate"}
    assert {receipt.by for receipt in said} == {"care-team"}
    database = open_database(address)
    assert missing(database) == []
    assert database.execute("SELECT count(*), count(DISTINCT reading) FROM onward") == [
        (len(held), len(held))
    ]
    database.close()
