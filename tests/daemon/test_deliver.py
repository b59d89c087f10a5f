"""Deliver alone, with rows of a real outbox and a broker's session that is a small program."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from gateway import contract
from gateway.backoff import Backoff
from gateway.contract import Publication, Topics
from gateway.deliver import Deliver, Duty
from gateway.live import UplinkFacts
from gateway.outbox.delivery import Resend
from gateway.uplink import Incoming, Uplink
from tests.daemon.scene import until
from tests.outbox.house import House, cuff

TOPICS = Topics("org1", "gw-0123456789")
ROWS = 300


class Quiet:
    """Nothing to report."""

    async def document(self) -> contract.Status:
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    async def due(self, _told: contract.Status) -> contract.Status:
        return await self.document()


class Taker:
    """A broker that takes everything at once. `taken` counts."""

    def __init__(self) -> None:
        self.taken = 0

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Taker"]:
        yield self

    async def subscribe(self, *topics: str) -> None: ...

    async def publish(self, _publication: Publication) -> int:
        self.taken += 1
        return 0

    async def messages(self) -> AsyncIterator[Incoming]:
        await asyncio.Event().wait()
        yield Incoming("", b"", False, None, None, None)


async def nothing(_: Incoming) -> None:
    """Obeys no command."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


async def test_a_full_window_is_filled_again_as_soon_as_it_has_room(house: House) -> None:
    device = await house.meter()
    for minute in range(ROWS // 50):
        house.now.move(minutes=1)
        frames = [cuff(60 + 50 * minute % 150 + n, house.now()) for n in range(50)]
        await house.session(device, frames)
    await house.settle()
    taker = Taker()
    resend = Resend(timedelta(hours=1), timedelta(hours=1))
    deliver = Deliver(
        house.store,
        cast("Uplink", taker),  # it has what Deliver asks of one
        Duty(TOPICS, resend, receipts=False, required=(), window=1),
        Quiet(),
        house.ours,
        UplinkFacts(),
        Backoff(),
        nothing,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(deliver.run(), name="deliver")
        await until(lambda: taker.taken == ROWS)
        running.cancel()
