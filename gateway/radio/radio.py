"""One adapter: scanning for ever, links at the same time, and an ear for bonded meters."""

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self, cast
from uuid import UUID

from bleak.backends.device import BLEDevice

from drivers.api import Advertisement, Frame, LinkError
from gateway.guests import GuestList, Guests
from gateway.link import Counters, Limits, Link, Orphans, RadioError
from gateway.radio import plugin
from gateway.radio.backends import Backend, Loaded
from gateway.radio.errors import link_errors
from gateway.radio.healing import Healer, Rung
from gateway.radio.links import Links
from gateway.radio.scan import Scan, Wanted

log = logging.getLogger(__name__)


def everybody(_address: str, _services: Sequence[str]) -> bool:
    return True


class Radio:
    """One adapter: what it hears, and up to *links* connections. Open it with `async with`."""

    def __init__(
        self,
        backend: str,
        adapter: str,
        state_dir: Path,
        *,
        links: int = 3,
        limits: Limits | None = None,
        restart_file: Path | None = None,
    ) -> None:
        """*restart_file*: made to ask for a bluetoothd restart (see packaging/)."""
        self.counters = Counters()
        self._name, self._adapter, self._state_dir = backend, adapter, state_dir
        self._limits = limits or Limits()
        self._restart_file = restart_file
        self._at_most = links
        self._guests = GuestList()
        self._orphans = Orphans()
        self._backend: Backend
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises RadioError if there is no such backend; an absent adapter is tried for ever."""
        self._backend = await self._open()
        self._healer = Healer(self, self.counters, look_s=self._limits.look_s)
        self._scan = Scan(self._backend, self._limits, self.counters, self._healer)
        self._links = Links(
            self._backend, self._limits, self.counters, self._guests, self._healer, self._at_most
        )
        group = await self._closing.enter_async_context(asyncio.TaskGroup())
        self._tasks = (
            group.create_task(self._backend.run(self), name="radio backend"),
            group.create_task(self._healer.run(), name="radio healer"),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._scan.stop()
        for task in self._tasks:
            task.cancel()
        await self._closing.aclose()

    async def _open(self) -> Backend:
        if self._name == "bluez":
            # Measured: D-Bus and the retry connector take 1 MiB and 13 ms on top of bleak itself;
            # they are not loaded where another radio is used.
            bluez = importlib.import_module("gateway.radio.bluez_backend")
            made = bluez.BlueZ(
                self._adapter,
                self._limits,
                self.counters,
                self._orphans,
                self._guests,
                self._restart_file,
            )
            return cast("Backend", made)
        brought = plugin.load(self._name)
        try:
            classes = await self._closing.enter_async_context(
                brought.open(self._adapter, self._state_dir)
            )
        except ValueError as error:
            raise RadioError(f"radio.adapter: {error}") from error
        return Loaded(*classes)

    def advertisements(self, wanted: Wanted = everybody) -> AsyncGenerator[Advertisement]:
        """Scan for ever, while links are up as well; the newest of each address *wanted*.

        *wanted* is asked anew each time and ought to be quick: a street full of strangers calls.
        One reader. A scanner that fails, or hears nobody at all, is started again.
        """
        return self._scan.advertisements(wanted)

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Link]:
        """A link to a meter that was heard, at once, and let go at the end. Raises LinkError."""
        async with self._links.connect(address, self._device(address)) as link:
            yield link

    async def hold(self, address: str, characteristics: Collection[UUID]) -> None:
        """Hear a bonded meter from now on, also while no link stands. Ever again is no harm."""
        await self._backend.ears.hold(address, frozenset(characteristics))

    async def let_go(self, address: str) -> None:
        await self._backend.ears.let_go(address)

    async def orphan(self) -> tuple[str, Frame]:
        """The next frame that came while no link had subscribed to it, and whose it is."""
        return await self._orphans.next()

    def orphans_left(self) -> list[tuple[str, Frame]]:
        """Those that nobody has taken, at the end."""
        return self._orphans.rest()

    async def expect(self, guests: Guests) -> None:
        """These may be bonded with from now on, and nobody else; at first nobody."""
        self._guests.expect(guests)
        await self._backend.invite()

    async def forget(self, address: str) -> None:
        """Delete the bond with a meter, if there is one. It has to be heard anew then.

        Raises LinkError.
        """
        await self.let_go(address)
        device = self._scan.devices.pop(address, None)
        with link_errors(self.counters, f"{address}: forgetting"):
            async with asyncio.timeout(self._limits.gatt_s):
                await self._backend.forget(address, device)

    def _device(self, address: str) -> BLEDevice:
        if address not in self._scan.devices:
            raise LinkError(f"{address}: not heard yet")
        return self._scan.devices[address]

    @property
    def present(self) -> bool:
        """Whether the service behind the radio is there at all."""
        return self._backend.present

    # ---- as the backend sees it ----

    def gone(self) -> None:
        """The service has died; bleak does not notice, so the links are told here."""
        self._links.drop()
        self._scan.abandon()

    def back(self) -> None:
        self._scan.restart()

    # ---- as the healer sees it ----

    @property
    def links(self) -> int:
        return len(self._links)

    @property
    def highest(self) -> Rung:
        return self._backend.highest

    def ailment(self) -> tuple[str, Rung] | None:
        return self._backend.ailment(self._scan.running)

    async def cure(self, rung: Rung) -> None:
        if rung is Rung.REBUILD:
            self._scan.abandon()
        await self._backend.cure(rung)
        self._scan.restart()
