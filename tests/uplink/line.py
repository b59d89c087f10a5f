"""A gateway's line: real rows, the real uplink, the real status document; no meter and no radio.

What a technician reads is taken from the status document, as `hjemgate status` does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from gateway.backoff import Backoff
from gateway.contract import Condition, Status, Topics
from gateway.deliver import Deliver, Duty
from gateway.downlink import Obey
from gateway.health import Health
from gateway.live import Live
from gateway.outbox.delivery import Resend
from gateway.uplink import Incoming, Uplink
from tests.control.desk import config
from tests.outbox.house import House, cuff

TOPICS = Topics("org1", "gw-7f3ak2m9qd")
LONG_S = 30.0  # no test waits for as long as this unless something is broken
LOOK_S = 0.02
RESEND = Resend(timedelta(minutes=10), timedelta(hours=6))


class Dice:
    """Throws the upper bound, and remembers both."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def __call__(self, low: float, high: float) -> float:
        self.asked.append((low, high))
        return high


async def obey_nobody(_: Incoming) -> None:
    """Commands are another test's matter."""


class Line:
    """One gateway's way up. `dice.asked`: the bounds of each wait so far."""

    def __init__(
        self, house: House, obey: Obey = obey_nobody, *, live: Live | None = None, cap_s: float
    ) -> None:
        self.house, self.obey, self.dice = house, obey, Dice()
        self.live = live or Live(house.now())
        self.health = Health(house.store, house.ours, config(house.state_dir), self.live)
        self._backoff = Backoff(cap_s, self.dice)
        self._measured = 0
        self._device: int | None = None

    @asynccontextmanager
    async def to(self, uplink: Uplink, window: int = 20) -> AsyncIterator[None]:
        """Deliver runs."""
        deliver = Deliver(
            self.house.store,
            uplink,
            Duty(TOPICS, RESEND, receipts=True, required=(), window=window),
            self.health,
            self.house.ours,
            self.live.uplink,
            self._backoff,
            self.obey,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(deliver.run(), name="deliver")
            yield
            running.cancel()

    async def measure(self, count: int = 1) -> None:
        """So many readings, ready to be sent."""
        if self._device is None:
            self._device = await self.house.meter()
        self._measured += count
        self.house.now.move(minutes=1)
        frames = [cuff(60 + self._measured + n, self.house.now()) for n in range(count)]
        await self.house.session(self._device, frames)
        await self.house.settle()

    async def status(self, wanted: Callable[[Status], bool]) -> Status:
        """The status document, once it is as *wanted*."""
        document = await self.health.document()
        try:
            async with asyncio.timeout(LONG_S):
                while not wanted(document):
                    await asyncio.sleep(LOOK_S)
                    document = await self.health.document()
        except TimeoutError:
            raise AssertionError(f"never as wanted: {document}") from None
        return document

    async def down(self, words: str) -> str:
        """Until a technician reads that the line is down, and these *words*; all that he reads."""

        def says(status: Status) -> bool:
            told = condition(status, "line-down")
            return told is not None and words in told.text

        status = await self.status(says)
        assert status.uplink.connected_at is None
        assert words in (status.uplink.last_error or "")
        told = condition(status, "line-down")
        assert told is not None
        return told.text

    async def up(self) -> Status:
        """Until it stands."""
        return await self.status(lambda status: status.uplink.connected_at is not None)

    async def until_states(self, *expected: str) -> None:
        """Until the readings are in these states, in the order of their measurement."""
        states: list[str] = []
        try:
            async with asyncio.timeout(LONG_S):
                while (states := await self.house.states()) != list(expected):  # noqa: ASYNC110 - rows have none
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"expected {expected}, got {states}") from None


def condition(status: Status, name: str) -> Condition | None:
    return next((each for each in status.conditions if each.id == name), None)
