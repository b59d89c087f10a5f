"""Bluetooth: what is heard, and links to meters. The only module that imports bleak.

bleak and D-Bus raise what they like; here, and only here, all of it becomes a counted LinkError.
"""

import asyncio
import importlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakGATTProtocolError

from drivers.api import Advertisement, Frame, LinkError
from gateway import radio_plugin
from gateway.link import AttError, Counters, Inbox, Limits, Link, Newest, RadioError

__all__ = ["AttError", "Counters", "Limits", "Link", "Radio", "RadioError", "Wanted", "everybody"]

log = logging.getLogger(__name__)
T = TypeVar("T")

Wanted = Callable[[str, Sequence[str]], bool]
"""Is it one of ours? (address in capitals, service UUIDs in lower case, all 36 characters)"""

NO_SUCH_ATTRIBUTE = 0x0A
ATTEMPTS = 2  # a meter is awake for half a minute: a third attempt would come too late
FAILURES = 2  # connects that fail in a row before the scan is suspected
DEVICES_AT_MOST = 256  # BLEDevices kept to connect to; they are only kept for those wanted


def everybody(_address: str, _services: Sequence[str]) -> bool:
    return True


@contextmanager
def _link_errors(counters: Counters, doing: str) -> Iterator[None]:
    try:
        yield
    except LinkError:
        counters.link_errors += 1
        raise
    except BleakGATTProtocolError as error:
        counters.link_errors += 1
        raise AttError(f"{doing}: the meter refuses: {error}", int(error.code)) from error
    except TimeoutError as error:
        counters.link_errors += 1
        raise LinkError(f"{doing}: no answer in time") from error
    except Exception as error:
        counters.link_errors += 1
        raise LinkError(f"{doing}: {error or type(error).__name__}") from error


class _BleakLink:
    def __init__(self, limits: Limits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self._inbox = Inbox()
        self._subscribed: list[UUID] = []

    def attach(self, client: BleakClient) -> None:
        """The link stands. Where a UUID occurs twice the first characteristic is meant."""
        self._client = client
        self._found: dict[UUID, BleakGATTCharacteristic] = {}
        for each in client.services.characteristics.values():
            self._found.setdefault(UUID(each.uuid), each)

    def lost(self, _client: BleakClient) -> None:
        self._inbox.close()

    @property
    def address(self) -> str:
        return self._client.address.upper()  # bleak replaces a resolvable one after pairing

    @property
    def connected(self) -> bool:
        return not self._inbox.lost and self._client.is_connected

    def has(self, characteristic: UUID) -> bool:
        return characteristic in self._found

    async def bond(self) -> None:
        await self._call("pairing", self._limits.bond_s, self._client.pair)

    async def read(self, characteristic: UUID) -> bytes:
        at = self._at(characteristic)
        return bytes(await self._gatt("read", at, lambda: self._client.read_gatt_char(at)))

    async def write(self, characteristic: UUID, octets: bytes, response: bool = True) -> None:
        at = self._at(characteristic)
        await self._gatt(
            "write", at, lambda: self._client.write_gatt_char(at, octets, response=response)
        )

    async def subscribe(self, characteristic: UUID) -> None:
        at = self._at(characteristic)

        def arrived(_: BleakGATTCharacteristic, octets: bytearray) -> None:
            self._inbox.put(Frame(characteristic, bytes(octets)))

        self._subscribed.append(characteristic)  # before: a lost answer may still have taken effect
        await self._gatt("subscribe", at, lambda: self._client.start_notify(at, arrived))

    async def unsubscribe(self, characteristic: UUID) -> None:
        at = self._at(characteristic)
        if characteristic in self._subscribed:
            self._subscribed.remove(characteristic)
            await self._gatt("unsubscribe", at, lambda: self._client.stop_notify(at))

    def frames(self) -> AsyncIterator[Frame]:
        return self._inbox.frames()

    async def close(self) -> None:
        """Subscriptions off, then hang up. What fails is counted; the link is gone either way."""
        try:
            async with asyncio.timeout(self._limits.close_s):
                while self.connected and self._subscribed:
                    await self.unsubscribe(self._subscribed[0])
        except (LinkError, TimeoutError) as error:
            log.debug("%s: letting go: %s", self.address, error)
        try:
            await self._call("hanging up", self._limits.close_s, self._client.disconnect)
        except LinkError as error:
            log.debug("%s: letting go: %s", self.address, error)
        finally:
            self._inbox.close()

    def _at(self, characteristic: UUID) -> BleakGATTCharacteristic:
        if characteristic not in self._found:
            raise AttError(
                f"{self.address}: the meter has no characteristic {characteristic}",
                NO_SUCH_ATTRIBUTE,
            )
        return self._found[characteristic]

    async def _gatt(
        self, verb: str, at: BleakGATTCharacteristic, act: Callable[[], Awaitable[T]]
    ) -> T:
        return await self._call(f"{verb} {at.uuid[:8]}", self._limits.gatt_s, act)

    async def _call(self, doing: str, limit_s: float, act: Callable[[], Awaitable[T]]) -> T:
        with _link_errors(self._counters, f"{self.address}: {doing}"):
            async with asyncio.timeout(limit_s):
                return await act()


Heard = Callable[[BLEDevice, AdvertisementData], None]
Lost = Callable[[BleakClient], None]


class _BlueZ:
    """bleak's own backend."""

    def __init__(self, adapter: str) -> None:
        # Measured: 1 MiB and 13 ms on top of bleak itself, for a collection of BlueZ's transient
        # errors that took others years. Not loaded where another radio is used.
        self._retry = importlib.import_module("bleak_retry_connector")
        self._options: Any = {"bluez": {"adapter": adapter}}  # among several bleak chooses badly

    def scanner(self, heard: Heard) -> BleakScanner:
        return BleakScanner(heard, scanning_mode="active", **self._options)

    def client(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return BleakClient(device, lost, **self._options)

    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient:
        client: BleakClient = await self._retry.establish_connection(
            BleakClient, device, device.address, lost, max_attempts=ATTEMPTS, **self._options
        )
        return client


class _Loaded:
    """The same bleak over classes that somebody else brings."""

    def __init__(self, scanner: type[BaseBleakScanner], client: type[BaseBleakClient]) -> None:
        self._scanner, self._client = scanner, client

    def scanner(self, heard: Heard) -> BleakScanner:
        return BleakScanner(heard, scanning_mode="active", backend=self._scanner)

    def client(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return BleakClient(device, lost, backend=self._client)

    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient:
        client = self.client(device, lost)
        await client.connect()
        return client


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
        self._scanner: BleakScanner | None = None
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises RadioError if there is no such backend; an absent adapter is tried for ever."""
        self._backend: _BlueZ | _Loaded
        if self._backend_name == "bluez":
            self._backend = _BlueZ(self._adapter)
            return self
        plugin = radio_plugin.load(self._backend_name)
        try:
            classes = await self._closing.enter_async_context(
                plugin.open(self._adapter, self._state_dir)
            )
        except ValueError as error:
            raise RadioError(f"radio.adapter: {error}") from error
        self._backend = _Loaded(*classes)
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
        with _link_errors(self.counters, f"{address}: forgetting"):
            async with asyncio.timeout(self._limits.gatt_s):
                await self._backend.client(device, lambda _: None).unpair()

    def _device(self, address: str) -> BLEDevice:
        if address not in self._devices:
            raise LinkError(f"{address}: not heard yet")
        return self._devices[address]

    async def _initiate(self, address: str) -> _BleakLink:
        device = self._device(address)
        link = _BleakLink(self._limits, self.counters)
        self.counters.connects += 1
        try:
            with _link_errors(self.counters, f"{address}: connecting"):
                async with asyncio.timeout(self._limits.connect_s):
                    link.attach(await self._backend.connect(device, link.lost))
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
            with _link_errors(self.counters, f"scanning with {self._adapter}"):
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
            with _link_errors(self.counters, f"ending the scan with {self._adapter}"):
                async with asyncio.timeout(self._limits.close_s):
                    await scanner.stop()
        except LinkError as error:
            log.debug("%s", error)


def _advertisement(address: str, device: BLEDevice, data: AdvertisementData) -> Advertisement:
    services = frozenset(UUID(each) for each in data.service_uuids)
    return Advertisement(address, data.local_name or device.name, services, data.rssi)
