"""One adapter: scanning for ever, and links at the same time."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self
from uuid import UUID

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.api import Advertisement, LinkError
from gateway.link import Counters, Limits, Link, Newest, RadioError
from gateway.radio import plugin
from gateway.radio.backends import Backend, BlueZ, Loaded
from gateway.radio.bleak_link import BleakLink
from gateway.radio.errors import link_errors

log = logging.getLogger(__name__)

Wanted = Callable[[str, Sequence[str]], bool]
"""Is it one of ours? (address in capitals, service UUIDs in lower case, all 36 characters)"""

FAILURES = 2  # connects that fail in a row before the scan is suspected
DEVICES_AT_MOST = 256  # that can be connected to; only those wanted are kept


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
    ) -> None:
        self.counters = Counters()
        self._backend_name, self._adapter, self._state_dir = backend, adapter, state_dir
        self._limits = limits or Limits()
        self._slots = asyncio.Semaphore(links)
        self._initiating = asyncio.Lock()  # BlueZ answers a second Connect with InProgress
        self._failures = 0
        self._rescan = False
        self._devices: dict[str, BLEDevice] = {}
        self._heard: Newest[tuple[str, BLEDevice, AdvertisementData]] = Newest(self.counters)
        self._backend: Backend
        self._scanner: BleakScanner | None = None
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises RadioError if there is no such backend; an absent adapter is tried for ever."""
        if self._backend_name == "bluez":
            self._backend = BlueZ(self._adapter)
            return self
        brought = plugin.load(self._backend_name)
        try:
            classes = await self._closing.enter_async_context(
                brought.open(self._adapter, self._state_dir)
            )
        except ValueError as error:
            raise RadioError(f"radio.adapter: {error}") from error
        self._backend = Loaded(*classes)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        await self._closing.aclose()

    async def advertisements(self, wanted: Wanted = everybody) -> AsyncGenerator[Advertisement]:
        """Scan for ever, while links are up as well; the newest of each address *wanted*.

        *wanted* is asked anew each time and ought to be quick: a street full of strangers calls.
        One reader. A scanner that fails, or hears nobody at all, is started again.
        """
        while True:
            if not await self._start(wanted):
                await asyncio.sleep(self._limits.pause_s)
                continue
            try:
                while await self._hearing():
                    while thing := self._heard.take():
                        yield _advertisement(*thing)
            finally:
                await self._stop()

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Link]:
        """A link to a meter that was heard, at once, and let go at the end. Raises LinkError."""
        async with self._slots:
            async with self._initiating:
                link = await self._initiate(address)
            try:
                yield link
            finally:
                await link.close()

    async def forget(self, address: str) -> None:
        """Delete the bond with a meter that was heard. Raises LinkError."""
        device = self._device(address)
        with link_errors(self.counters, f"{address}: forgetting"):
            async with asyncio.timeout(self._limits.gatt_s):
                await self._backend.client(device, lambda _: None).unpair()

    def _device(self, address: str) -> BLEDevice:
        if address not in self._devices:
            raise LinkError(f"{address}: not heard yet")
        return self._devices[address]

    async def _initiate(self, address: str) -> BleakLink:
        device, backend = self._device(address), self._backend
        link = BleakLink(self._limits, self.counters, lambda client: backend.pair(client, device))
        self.counters.connects += 1
        try:
            with link_errors(self.counters, f"{address}: connecting"):
                async with asyncio.timeout(self._limits.connect_s):
                    link.attach(await backend.connect(device, link.lost))
        except LinkError:
            self.counters.connect_errors += 1
            self._failures += 1
            if self._failures % FAILURES == 0:
                self._rescan = True
                self._heard.stir()
            raise
        self._failures = 0
        return link

    async def _start(self, wanted: Wanted) -> bool:
        counters, devices, heard = self.counters, self._devices, self._heard

        def each(device: BLEDevice, data: AdvertisementData) -> None:
            counters.heard += 1
            counters.heard_at = time.monotonic()
            address = device.address
            if not wanted(address, data.service_uuids):
                counters.strangers += 1
                return
            devices[address] = device
            if len(devices) > DEVICES_AT_MOST:
                del devices[next(iter(devices))]
            heard.put(address, (address, device, data))

        self._rescan = False
        self.counters.scans += 1
        try:
            with link_errors(self.counters, f"scanning with {self._adapter}"):
                async with asyncio.timeout(self._limits.gatt_s):
                    self._scanner = self._backend.scanner(each)
                    await self._scanner.start()
        except LinkError as error:
            self.counters.scan_errors += 1
            log.warning("%s; trying again in %s s", error, self._limits.pause_s)
            return False
        return True

    async def _hearing(self) -> bool:
        """Wait for one that is wanted; False if the scan has to be started again."""
        heard = self.counters.heard
        while not self._rescan:
            try:
                async with asyncio.timeout(self._limits.silence_s):
                    await self._heard.wait()
            except TimeoutError:
                if self.counters.heard == heard:  # not even a stranger
                    return False
                heard = self.counters.heard
            else:
                return not self._rescan
        return False

    async def _stop(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is None:
            return
        try:
            with link_errors(self.counters, f"ending the scan with {self._adapter}"):
                async with asyncio.timeout(self._limits.close_s):
                    await scanner.stop()
        except LinkError as error:
            log.debug("%s", error)


def _advertisement(address: str, device: BLEDevice, data: AdvertisementData) -> Advertisement:
    services = frozenset(UUID(each) for each in data.service_uuids)
    return Advertisement(address, data.local_name or device.name, services, data.rssi)
