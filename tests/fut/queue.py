"""Readings through a receiver's queue to its parties, over a real store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from backend.bundle import Contents
from backend.onward import Pace, Party, hand_on
from backend.store import Delivery, Place, Store, ToHandOn, onward
from tests.fut.scene import Disk

BRISK = Pace(per_second=1000, grace=timedelta(0), look_s=0.01)
PATIENCE_S = 60


def keep(disk: Disk, *readings: ToHandOn) -> None:
    """As they would come from their gateways, in this order."""
    Store(disk.database).keep([_delivery(each) for each in readings], datetime.now(UTC))


def _delivery(reading: ToHandOn) -> Delivery:
    digest = sha256(reading.body).hexdigest()
    place = Place(reading.organisation, reading.gateway, reading.epoch, reading.position)
    key = (reading.id, reading.version, digest, reading.body, place, False)
    return Delivery(*key, Contents(f"{digest} {reading.id}"))


@asynccontextmanager
async def handing(disk: Disk, parties: Sequence[Party]) -> AsyncIterator[None]:
    task = asyncio.create_task(hand_on(disk, parties, BRISK))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 -- what others do in a database is no event
            await asyncio.sleep(0.01)


def waiting(disk: Disk) -> int:
    ((number,),) = disk.database.execute("SELECT count(*) FROM onward WHERE state = 'waiting'")
    return int(number)


def outcomes(disk: Disk) -> list[tuple[str, str | None]]:
    """What the gateways are told, each once: status and reason."""
    found = onward.untold(disk.database, 1000)
    onward.told(disk.database, found, datetime.now(UTC))
    return [(each.status, each.reason) for each in found]


async def handed_on(
    disk: Disk, parties: Sequence[Party], *readings: ToHandOn
) -> list[tuple[str, str | None]]:
    """Keep them, hand on until nothing waits, and return what is told."""
    keep(disk, *readings)
    async with handing(disk, parties):
        await until(lambda: not waiting(disk))
    return outcomes(disk)
