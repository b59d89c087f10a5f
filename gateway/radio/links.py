"""Links to meters: initiated one at a time, standing side by side, bonded with those expected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bleak import BleakClient
from bleak.backends.device import BLEDevice

from drivers.api import LinkError
from gateway.guests import BondLost, GuestList
from gateway.link import Counters, Limits
from gateway.radio.backends import Backend
from gateway.radio.bleak_link import BleakLink
from gateway.radio.errors import link_errors
from gateway.radio.healing import Healer, Part

FAILURES = 2  # connects that fail in a row before something is done about it


class Links:
    def __init__(
        self,
        backend: Backend,
        limits: Limits,
        counters: Counters,
        guests: GuestList,
        healer: Healer,
        at_most: int,
    ) -> None:
        self._backend, self._limits, self._counters = backend, limits, counters
        self._guests, self._healer = guests, healer
        self._slots = asyncio.Semaphore(at_most)
        self._initiating = asyncio.Lock()  # BlueZ answers a second Connect with InProgress
        self._failures = 0
        self._standing: set[BleakLink] = set()

    def __len__(self) -> int:
        return len(self._standing)

    def drop(self) -> None:
        """All of them: what they stood on has gone."""
        for link in self._standing:
            link.drop()

    @asynccontextmanager
    async def connect(self, address: str, device: BLEDevice) -> AsyncIterator[BleakLink]:
        """Raises LinkError."""
        async with self._slots:
            async with self._initiating:
                link = await self._initiate(address, device)
            try:
                yield link
            finally:
                await link.close()
                self._standing.discard(link)

    async def _initiate(self, address: str, device: BLEDevice) -> BleakLink:
        backend = self._backend
        link = BleakLink(
            self._limits,
            self._counters,
            backend.ears,
            lambda client: self._pair(client, device),
            lambda client: backend.bonded(client, device),
        )
        self._guests.arrives(address)
        self._counters.connects += 1
        heard = backend.ears.heard(address)
        await backend.ears.ready(address)
        limit_s = self._limits.connect_s
        try:
            with link_errors(self._counters, f"{address}: connecting"):
                # A bluetoothd that hangs hangs bleak's farewell to the attempt as well.
                async with asyncio.timeout(limit_s + self._limits.close_s):
                    async with asyncio.timeout(limit_s):
                        link.attach(address, await backend.connect(device, link.lost))
        except LinkError as error:
            backend.ears.rearm(address)
            answered = isinstance(error, BondLost) or backend.ears.heard(address) != heard
            self._failed(in_vain=not answered)
            raise
        self._failures = 0
        self._healer.well(Part.CONNECTING)
        self._standing.add(link)
        return link

    def _failed(self, in_vain: bool) -> None:
        """A meter that says its word and hangs up at once, or whose key does not fit, has been
        connected well enough: the adapter works."""
        self._counters.connect_errors += 1
        self._failures = self._failures + 1 if in_vain else 0
        if in_vain and self._failures % FAILURES == 0:
            self._healer.ill(Part.CONNECTING, f"{self._failures} connects in a row have failed")

    async def _pair(self, client: BleakClient, device: BLEDevice) -> str:
        guests, address = self._guests, device.address
        stood = await self._backend.bonded(client, device)
        if not stood:
            if not guests.admits(address):
                self._counters.bond_errors += 1
                raise guests.refused(address, f"{address}: no pairing window is open for it")
            try:
                with link_errors(self._counters, f"{address}: pairing"):
                    await self._backend.pair(client, device, guests)
            except LinkError as error:
                self._counters.bond_errors += 1
                raise guests.refused(address, str(error)) from error
        return guests.method(address, stood)
