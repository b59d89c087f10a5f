"""How scanners and clients are made, and what only some radios have: the seam for both."""

import asyncio
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from gateway.guests import GuestList
from gateway.link import Inbox
from gateway.radio.healing import Rung

Heard = Callable[[BLEDevice, AdvertisementData], None]
Lost = Callable[[BleakClient], None]


class Ears(Protocol):
    """What hears meters when no link does. Subscriptions that it holds, nobody else may make."""

    def holds(self, address: str, characteristic: UUID) -> bool: ...
    def heard(self, address: str) -> int: ...
    async def hold(self, address: str, characteristics: frozenset[UUID]) -> None: ...
    async def let_go(self, address: str) -> None: ...
    async def ready(self, address: str) -> None: ...
    async def subscribe(self, address: str, at: BleakGATTCharacteristic, inbox: Inbox) -> None: ...
    async def release(self, address: str) -> None: ...
    def rearm(self, address: str) -> None: ...


class Told(Protocol):
    """Who wants to know that the radio's service has gone, and come back."""

    def gone(self) -> None: ...
    def back(self) -> None: ...


class Backend(Protocol):
    highest: Rung  # the dearest cure that it knows

    @property
    def ears(self) -> Ears: ...
    @property
    def present(self) -> bool:
        """Whether it makes sense to try anything."""

    def scanner(self, heard: Heard) -> BleakScanner: ...
    def client(self, device: BLEDevice, lost: Lost) -> BleakClient: ...
    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient: ...
    async def pair(self, client: BleakClient, device: BLEDevice, guests: GuestList) -> None: ...
    async def bonded(self, client: BleakClient, device: BLEDevice) -> bool: ...
    async def invite(self) -> None:
        """The list of guests has changed. Never fails: it is told again when it can be."""

    async def forget(self, address: str, device: BLEDevice | None) -> None:
        """Delete the bond, if there is one. *device*: as heard, None if it was not."""

    async def run(self, told: Told) -> None:
        """For ever, while the radio is open."""

    def ailment(self, scanning: bool) -> tuple[str, Rung] | None: ...
    async def cure(self, rung: Rung) -> None:
        """Raises LinkError."""


class NoEars:
    """A radio whose links miss nothing needs none."""

    def holds(self, _address: str, _characteristic: UUID) -> bool:
        return False

    def heard(self, _address: str) -> int:
        return 0

    async def hold(self, _address: str, _characteristics: frozenset[UUID]) -> None:
        return

    async def let_go(self, _address: str) -> None:
        return

    async def ready(self, _address: str) -> None:
        return

    async def subscribe(self, address: str, at: BleakGATTCharacteristic, _inbox: Inbox) -> None:
        raise LookupError(f"{address}: {at.uuid} is not held")

    async def release(self, _address: str) -> None:
        return

    def rearm(self, _address: str) -> None:
        return


class Loaded:
    """bleak over classes that somebody else brings (see `gateway.radio.plugin`)."""

    highest = Rung.RESCAN
    present = True

    def __init__(self, scanner: type[BaseBleakScanner], client: type[BaseBleakClient]) -> None:
        self._scanner, self._client = scanner, client
        self.ears: Ears = NoEars()

    def scanner(self, heard: Heard) -> BleakScanner:
        return BleakScanner(heard, scanning_mode="active", backend=self._scanner)

    def client(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return BleakClient(device, lost, backend=self._client)

    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient:
        client = self.client(device, lost)
        await client.connect()
        return client

    async def pair(self, client: BleakClient, device: BLEDevice, guests: GuestList) -> None:
        await client.pair(passkey=guests.typist(device.address))

    async def bonded(self, client: BleakClient, _device: BLEDevice) -> bool:
        found = client._backend  # noqa: SLF001  # bleak has no word for it
        return bool(getattr(found, "is_encrypted", False))

    async def invite(self) -> None:
        return

    async def forget(self, address: str, device: BLEDevice | None) -> None:
        await BleakClient(device or address, backend=self._client).unpair()

    async def run(self, _told: Told) -> None:
        await asyncio.Event().wait()

    def ailment(self, scanning: bool) -> tuple[str, Rung] | None:
        del scanning
        return None

    async def cure(self, _rung: Rung) -> None:
        return
