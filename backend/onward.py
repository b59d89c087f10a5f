"""Handing on: in order, at a set pace, to whoever stands behind the receiver."""

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol

from backend.chores import Disk
from backend.store import Database, ToHandOn, onward

log = logging.getLogger("hjemgate.receiver")

FIRST_S, CAP_S = 2.0, 900.0  # between two tries of one reading


class TryAgain(Exception):
    """It could not be handed on now; the text says why, and quotes nothing of the reading."""


class Undeliverable(Exception):
    """It will never be taken as it is; the text says why, and quotes nothing of the reading."""


class Target(Protocol):
    """Whoever takes readings. What it is given may have been given to it before."""

    async def hand_on(self, reading: ToHandOn) -> None:
        """Return when it has it. Raises TryAgain and Undeliverable."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how patient."""

    per_second: float = 10.0
    grace: timedelta = timedelta(seconds=60)  # for a number that is missing
    look_s: float = 1.0  # at an empty queue


async def hand_on(disk: Disk, target: Target, pace: Pace) -> NoReturn:
    """For ever. May raise StoreError."""
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        reading = await disk(_next, _now(), pace.grace)
        if reading is None:
            await asyncio.sleep(pace.look_s)
            continue
        await _hand_on(disk, target, reading)
        await asyncio.sleep(max(0.0, begun + 1 / pace.per_second - loop.time()))


def _next(db: Database, now: datetime, grace: timedelta) -> ToHandOn | None:
    return onward.next_to_hand_on(db, now, grace) if db.leads() else None


async def _hand_on(disk: Disk, target: Target, reading: ToHandOn) -> None:
    at = reading.position
    if reading.by_then:
        await disk(onward.settle, at, "delivered", onward.LATER_VERSION, _now())
        return
    try:
        await target.hand_on(reading)
    except TryAgain as error:
        wait_s = random.uniform(0.5, 1.0) * min(CAP_S, FIRST_S * 2 ** min(reading.attempts, 20))  # noqa: S311
        log.warning("onward, from %s: %s; again in %.0f s", reading.gateway, error, wait_s)
        await disk(onward.postpone, at, str(error), _now() + timedelta(seconds=wait_s))
    except Undeliverable as error:
        log.warning("onward, from %s: undeliverable: %s", reading.gateway, error)
        await disk(onward.settle, at, "undeliverable", str(error), _now())
    else:
        await disk(onward.settle, at, "delivered", None, _now())


def _now() -> datetime:
    return datetime.now(UTC)
