"""How scanners and clients are made: by bleak's own backend for BlueZ, or by one that is loaded."""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

ATTEMPTS = 2  # a meter is awake for half a minute: a third attempt would come too late

Heard = Callable[[BLEDevice, AdvertisementData], None]
Lost = Callable[[BleakClient], None]


class Backend(Protocol):
    def scanner(self, heard: Heard) -> BleakScanner: ...
    def client(self, device: BLEDevice, lost: Lost) -> BleakClient: ...
    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient: ...
    async def pair(self, client: BleakClient, device: BLEDevice) -> None: ...


class BlueZ:
    """bleak's own backend."""

    def __init__(self, adapter: str) -> None:
        # Measured: the retry connector takes 1 MiB and 13 ms on top of bleak itself, for a
        # collection of BlueZ's transient errors that took others years. Neither it nor D-Bus is
        # loaded where another radio is used.
        self._retry = importlib.import_module("bleak_retry_connector")
        self._agent = importlib.import_module("gateway.radio.agent")
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

    async def pair(self, client: BleakClient, device: BLEDevice) -> None:
        async with self._agent.just_works(device.details["path"]):
            await client.pair()


class Loaded:
    """The same bleak over classes that somebody else brings (see `gateway.radio.plugin`)."""

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

    async def pair(self, client: BleakClient, _device: BLEDevice) -> None:
        await client.pair()
