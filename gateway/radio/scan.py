"""Scanning, for ever: whatever ends it, it is started again."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from uuid import UUID

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.api import Advertisement, LinkError
from gateway.link import Counters, Limits, Newest
from gateway.radio.backends import Backend
from gateway.radio.errors import link_errors
from gateway.radio.healing import Healer, Part

log = logging.getLogger(__name__)

Wanted = Callable[[str, Sequence[str]], bool]
"""Is it one of ours? (address in capitals, service UUIDs in lower case, all 36 characters)"""

DEVICES_AT_MOST = 256  # that can be connected to; only those wanted are kept
NAME_AT_MOST = 248  # octets of a device name (Core Vol 3 Part C 3.2.2)


class Scan:
    """`devices` are those that were heard and wanted: nothing is kept of anybody else."""

    def __init__(
        self, backend: Backend, limits: Limits, counters: Counters, healer: Healer
    ) -> None:
        self._backend, self._limits, self._counters = backend, limits, counters
        self._healer = healer
        self.devices: dict[str, BLEDevice] = {}
        self._heard: Newest[tuple[str, BLEDevice, AdvertisementData]] = Newest(counters)
        self._again = False
        self._scanner: BleakScanner | None = None

    @property
    def running(self) -> bool:
        return self._scanner is not None

    def abandon(self) -> None:
        """The radio's service is a new one: nothing from before means anything, nor is ended.

        To end a scan of bleak's whose connection to the bus is dead does harm: see `bluez.py`.
        """
        self._scanner = None
        self.devices.clear()
        self._heard.clear()
        self.restart()

    def restart(self) -> None:
        """Whatever it is doing: at once from the start."""
        self._again = True
        self._heard.stir()

    async def advertisements(self, wanted: Wanted) -> AsyncGenerator[Advertisement]:
        while True:
            if not await self._start(wanted):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.pause_s):
                        await self._heard.wait()
                continue
            try:
                while await self._hearing():
                    while thing := self._heard.take():
                        yield _advertisement(*thing)
            finally:
                await self.stop()

    async def stop(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is None or not self._backend.present:
            return
        try:
            with link_errors(self._counters, "ending the scan"):
                async with asyncio.timeout(self._limits.close_s):
                    await scanner.stop()
        except LinkError as error:
            log.debug("%s", error)

    async def _start(self, wanted: Wanted) -> bool:
        self._again = False
        if not self._backend.present:
            return False
        self._counters.scans += 1
        scanner = self._backend.scanner(self._ear(wanted))
        try:
            with link_errors(self._counters, "scanning"):
                async with asyncio.timeout(self._limits.gatt_s):
                    await scanner.start()
        except LinkError as error:
            self._counters.scan_errors += 1
            log.warning("%s; trying again in %s s", error, self._limits.pause_s)
            self._healer.ill(Part.HEARING, str(error))
            return False
        self._scanner = scanner
        return True

    def _ear(self, wanted: Wanted) -> Callable[[BLEDevice, AdvertisementData], None]:
        counters, devices, heard = self._counters, self.devices, self._heard
        well = self._healer.well

        def each(device: BLEDevice, data: AdvertisementData) -> None:
            counters.heard += 1
            counters.heard_at = time.monotonic()
            well(Part.HEARING)
            address = device.address
            if not wanted(address, data.service_uuids):
                counters.strangers += 1
                return
            devices[address] = device
            if len(devices) > DEVICES_AT_MOST:
                del devices[next(iter(devices))]
            heard.put(address, (address, device, data))

        return each

    async def _hearing(self) -> bool:
        """Wait for one that is wanted; False if the scan has to be started again."""
        heard = self._counters.heard
        while not self._again:
            try:
                async with asyncio.timeout(self._limits.silence_s):
                    await self._heard.wait()
            except TimeoutError:
                if self._counters.heard == heard:  # not even a stranger
                    return False
                heard = self._counters.heard
            else:
                return not self._again
        return False


def _advertisement(address: str, device: BLEDevice, data: AdvertisementData) -> Advertisement:
    services = frozenset(UUID(each) for each in data.service_uuids)
    return Advertisement(address, _name(data.local_name or device.name), services, data.rssi)


def _name(told: str | None) -> str | None:
    """What a device calls itself, fit to be shown: anybody may call himself anything."""
    if told is None:
        return None
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in told)[
        :NAME_AT_MOST
    ]
