"""One connection as a conversation sees it; what arrives is on disk before anybody looks at it."""

import asyncio
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

Arrival = tuple[Frame, Stamp]


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
        self._waiting: list[Arrival] = []
        self._arrived = asyncio.Event()
        self._over = False
        self._kept: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.count = 0  # frames kept

    async def pump(self) -> None:
        """Until the link is closed or lost, and everything that came before is on disk."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(), name="receive")
                group.create_task(self._commit(), name="commit")
        finally:  # cancelled, it may be: the meter believes that we have them
            self._waiting += [(frame, self._ours.now()) for frame in self._link.rest()]
            if left := self._data(self._waiting):
                self._store.post(frames.keep, self._device.id, self._row, left)
        self._kept.put_nowait(None)

    async def _receive(self) -> None:
        async for frame in self._link.frames():
            self._waiting.append((frame, self._ours.now()))
            self._arrived.set()
        self._over = True
        self._arrived.set()

    async def _commit(self) -> None:
        while self._waiting or not self._over:
            await self._arrived.wait()
            self._arrived.clear()
            burst, self._waiting = self._waiting, []
            if burst:
                await self._keep(burst)

    async def _keep(self, burst: list[Arrival]) -> None:
        if data := self._data(burst):
            await self._store.urgently(frames.keep, self._device.id, self._row, data)
            self.count += len(data)
        for frame, _ in burst:
            self._kept.put_nowait(frame)

    def _data(self, burst: list[Arrival]) -> list[Arrival]:
        """Those that carry readings; answers of a control point need no keeping."""
        return [pair for pair in burst if pair[0].characteristic in self._driver.data]

    @property
    def cursor(self) -> int | None:
        return self._device.cursor

    @property
    def mark(self) -> bytes | None:
        return self._device.mark

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
                # Not wait_for: before Python 3.12 it swallows a cancellation that meets a frame.
                async with asyncio.timeout(silence_s):
                    frame = await self._kept.get()
            except TimeoutError:
                return
            if frame is None:
                self._kept.put_nowait(None)  # whoever asks again hears the same
                return
            yield frame

    def local_time(self) -> datetime:
        return self._ours.local()

    async def clock_read(self, device_clock: datetime | None) -> None:
        await self._store(sessions.clock_event, self._row, "read", device_clock, self._ours.now())

    async def clock_set(self, device_clock: datetime) -> None:
        await self._store(sessions.clock_event, self._row, "set", device_clock, self._ours.now())

    async def battery(self, percent: int) -> None:
        await self._store(devices.set_battery, self._device.id, percent)

    async def advance(self, sequence: int | None, mark: bytes | None) -> None:
        await self._store(devices.advance, self._device.id, sequence, mark)


async def converse(session: LiveSession, driver: Driver) -> None:
    """Run the driver's conversation within its time. Raises LinkError."""
    try:
        async with asyncio.timeout(driver.session_s):
            await driver.converse(session)
    except TimeoutError as error:
        words = f"the conversation was not over after {driver.session_s:.0f} s"
        raise LinkError(words) from error
