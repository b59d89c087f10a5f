"""A bonded meter that speaks as soon as the link is encrypted, whoever listens."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bumble.core import BaseBumbleError
from bumble.device import Connection
from bumble.gatt import Characteristic

from simulator.meters.meter import Measured
from simulator.meters.push import PushMeter

SEEN_S = 0.2


class Eager:
    """Takes over what *meter* has measured, and pushes it in its own manner."""

    def __init__(self, meter: PushMeter, tasks: asyncio.TaskGroup) -> None:
        self.hang_up_s: float | None = None  # after its word; None: it stays
        self.rude = False  # hangs up without a word, before its services are looked at
        self.confirmed: list[tuple[bytes, float]] = []  # what, and when by time.monotonic()
        self._meter, self._tasks = meter, tasks
        self._pending: list[Measured] = []
        self._device = meter.peripheral._device
        self._device.on("connection", self._connected)

    def measure(self) -> bytes:
        """One more reading; the meter calls. Its octets."""
        measured = self._meter.measure()
        self._meter.stored.clear()
        self._pending.append(measured)
        self._meter.wake()
        return measured.frames[0].octets

    def call(self) -> None:
        """Advertise, whatever there is to say."""
        self._meter.wake()

    def _connected(self, connection: Connection) -> None:
        def changed() -> None:
            if connection.is_encrypted:
                self._do(self._hang_up(connection) if self.rude else self._push(connection))

        connection.on(Connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, changed)

    def _do(self, what: "asyncio._CoroutineLike[None]") -> None:
        self._tasks.create_task(what, name="eager")

    async def _push(self, connection: Connection) -> None:
        with suppress(BaseBumbleError, TimeoutError):
            while self._pending:
                octets = self._pending[0].frames[0].octets
                await self._device.gatt_server.indicate_subscriber(
                    connection, self._characteristic, octets, True
                )
                self._pending.pop(0)
                self.confirmed.append((octets, time.monotonic()))
            if self.hang_up_s is not None:
                await asyncio.sleep(self.hang_up_s)
                await connection.disconnect()

    async def _hang_up(self, connection: Connection) -> None:
        # Linux 6.1 panics (hci_chan_del, a corrupted list) if the other side has not seen yet that
        # the link is encrypted.
        await asyncio.sleep(SEEN_S)
        with suppress(BaseBumbleError):
            await connection.disconnect()

    @property
    def _characteristic(self) -> Characteristic[bytes]:
        return self._meter._measurement


@asynccontextmanager
async def eager(meter: PushMeter) -> AsyncIterator[Eager]:
    async with asyncio.TaskGroup() as tasks:
        yield Eager(meter, tasks)
