"""One connection as a conversation sees it; what arrives is on disk before anybody looks at it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from drivers.api import Driver, Frame, LinkError
from gateway.clock import OurClock
from gateway.link import Link
from gateway.model import Stamp
from gateway.outbox import devices, frames, sessions
from gateway.outbox.devices import Device
from gateway.outbox.store import Store


class LiveSession:
    """A drivers.api.Session over a Link and the outbox.

    `pump` runs beside the conversation: it takes frames off the link, commits those that carry
    readings, and only then hands them on. What waits while a commit is under way goes into the
    next one together.
    """

    def __init__(
        self, store: Store, ours: OurClock, link: Link, driver: Driver, device: Device, row: int
    ) -> None:
        self._store, self._ours, self._link = store, ours, link
        self._driver, self._device, self._row = driver, device, row
        self._kept: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.count = 0  # frames kept

    async def pump(self) -> None:
        """Until the link is lost."""
        waiting: list[tuple[Frame, Stamp]] = []
        arrived = asyncio.Event()
        over = False

        async def receive() -> None:
            nonlocal over
            async for frame in self._link.frames():
                waiting.append((frame, self._ours.now()))
                arrived.set()
            over = True
            arrived.set()

        async def commit() -> None:
            while not (over and not waiting):
                await arrived.wait()
                arrived.clear()
                burst, waiting[:] = list(waiting), []
                if burst:
                    await self._keep(burst)

        async with asyncio.TaskGroup() as group:
            group.create_task(receive(), name="receive")
            group.create_task(commit(), name="commit")
        self._kept.put_nowait(None)

    async def _keep(self, burst: list[tuple[Frame, Stamp]]) -> None:
        data = [pair for pair in burst if pair[0].characteristic in self._driver.data]
        if data:
            await self._store(frames.keep, self._device.id, self._row, data)
            self.count += len(data)
        for frame, _ in burst:
            self._kept.put_nowait(frame)

    @property
    def cursor(self) -> int | None:
        return self._device.cursor

    @property
    def clock_trusted(self) -> bool:
        return self._ours.trusted

    @property
    def connected(self) -> bool:
        return self._link.connected

    def has(self, characteristic: UUID) -> bool:
        return self._link.has(characteristic)

    async def read(self, characteristic: UUID) -> bytes:
        return await self._link.read(characteristic)

    async def write(self, characteristic: UUID, octets: bytes) -> None:
        await self._link.write(characteristic, octets)

    async def subscribe(self, *characteristics: UUID) -> None:
        for characteristic in characteristics:
            await self._link.subscribe(characteristic)

    async def frames(self, silence_s: float) -> AsyncIterator[Frame]:
        while True:
            try:
                frame = await asyncio.wait_for(self._kept.get(), silence_s)
            except TimeoutError:
                return
            if frame is None:
                self._kept.put_nowait(None)  # whoever asks again hears the same
                return
            yield frame

    def local_time(self) -> datetime:
        return self._ours.local()

    async def clock_read(self, device_clock: datetime | None) -> None:
        await self._store(
            sessions.clock_event, self._row, "read", device_clock, self._ours.now()
        )

    async def clock_set(self, device_clock: datetime) -> None:
        await self._store(sessions.clock_event, self._row, "set", device_clock, self._ours.now())

    async def battery(self, percent: int) -> None:
        await self._store(devices.set_battery, self._device.id, percent)

    async def advance(self, sequence: int) -> None:
        await self._store(devices.advance, self._device.id, sequence)


async def converse(session: LiveSession, driver: Driver) -> None:
    """Run the driver's conversation with the pump beside it. Raises LinkError.

    The conversation is over when it says so; what the link delivered until then is on disk.
    """
    started = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(session.pump(), name="pump")
            async with asyncio.timeout(driver.session_s):
                await driver.converse(session)
            pump.cancel()
    except* LinkError as errors:
        raise _first(errors) from errors
    except* TimeoutError as errors:
        spent = time.monotonic() - started
        raise LinkError(f"the conversation was not over after {spent:.0f} s") from errors


def _first(errors: BaseExceptionGroup[LinkError]) -> LinkError:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return LinkError("the link failed")
