"""bleak's client over Bumble: one connection of the virtual gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble import hci
from bumble.core import UUID
from bumble.core import TimeoutError as BumbleTimeout
from bumble.device import Connection, Device, Peer
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.gatt_client import ServiceProxy

from simulator.bumble_host import Passkey, VirtualAdapter, bleak_errors

T = TypeVar("T")

NEITHER = b"\x00\x00"  # a Client Characteristic Configuration: no notifications, no indications
MTU = 247  # what BlueZ asks for: one link-layer packet of 251 octets

PROPERTIES: dict[int, CharacteristicPropertyName] = {
    0x01: "broadcast",
    0x02: "read",
    0x04: "write-without-response",
    0x08: "write",
    0x10: "notify",
    0x20: "indicate",
    0x40: "authenticated-signed-writes",
    0x80: "extended-properties",
}


def spelled(uuid: UUID) -> str:
    """As bleak spells it: lower case, all 36 characters."""
    if len(uuid.uuid_bytes) == 16:
        return str(uuid.to_hex_str("-")).lower()
    return f"{uuid.to_hex_str().lower():0>8}-0000-1000-8000-00805f9b34fb"


class Client(BaseBleakClient):
    """One connection. With a stored key the link is encrypted before anything is asked."""

    adapter: ClassVar[VirtualAdapter]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: object,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        details = getattr(address_or_ble_device, "details", None)
        self._target = details if details is not None else hci.Address(self.address)
        self._connection: Connection | None = None
        self._callbacks: dict[int, object] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_: object) -> None:
        device = await self.adapter.device()
        connection = await self._initiate(device, self._timeout)
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._gone)
        if device.lookup_connection(connection.handle) is not connection:
            self._connection = None
            raise BleakError("the link was lost")  # before we could listen for that
        try:
            with bleak_errors():
                # A request over a link that was lost before it would wait 30 s for its answer.
                await connection.cancel_on_disconnection(self._prepare(device, connection, pair))
        except BaseException:
            await self.disconnect()
            raise

    async def _prepare(self, device: Device, connection: Connection, pair: bool) -> None:
        await self._encrypt(device, connection)
        if pair:
            await connection.pair()
        peer = Peer(connection)
        await peer.request_mtu(MTU)
        self.services = await self._discover(peer)

    async def _initiate(self, device: Device, timeout_s: float) -> Connection:
        try:
            with bleak_errors():
                return await device.connect(self._target, timeout=timeout_s)
        except asyncio.CancelledError:
            await self._abandon(device)
            raise
        except BleakError as error:
            if isinstance(error.__cause__, BumbleTimeout):
                raise BleakDeviceNotFoundError(self.address, "does not answer") from error
            raise

    async def _abandon(self, device: Device) -> None:
        """Or the controller goes on trying, or has a link that nobody knows of."""
        with suppress(hci.HCI_Error):  # "disallowed": there is nothing to cancel any more
            await device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
        for connection in tuple(device.connections.values()):
            if connection.peer_address == self._target:
                await connection.disconnect()

    async def _encrypt(self, device: Device, connection: Connection) -> None:
        if device.keystore and await device.keystore.get(str(connection.peer_address)):
            try:
                await connection.encrypt()
            except hci.HCI_Error as error:
                raise BleakError("the meter has forgotten its bond") from error

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        collection = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            entry = BleakGATTService(service, service.handle, spelled(service.uuid))
            collection.add_service(entry)
            await self._discover_in(service, entry, collection)
        return collection

    async def _discover_in(
        self, service: ServiceProxy, entry: BleakGATTService, into: BleakGATTServiceCollection
    ) -> None:
        for each in await service.discover_characteristics():
            names = [name for bit, name in PROPERTIES.items() if each.properties & bit]
            found = BleakGATTCharacteristic(
                each, each.handle, spelled(each.uuid), names, lambda: self.mtu_size - 3, entry
            )
            into.add_characteristic(found)
            for descriptor in await each.discover_descriptors():
                into.add_descriptor(
                    BleakGATTDescriptor(
                        descriptor, descriptor.handle, spelled(descriptor.type), found
                    )
                )

    def _gone(self, _reason: int) -> None:
        self._connection = None
        self._callbacks.clear()
        if self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._connection is None:
            return
        if not self.adapter.alive:
            self._gone(0)
            return
        with bleak_errors():
            await self._connection.disconnect()

    @property
    def is_encrypted(self) -> bool:
        return self._connection is not None and bool(self._connection.is_encrypted)

    async def pair(self, *_: object, passkey: Passkey | None = None, **__: object) -> None:
        """*passkey*: who is there to type what the meter shows."""
        if self.is_encrypted:
            return
        peer = str(self._target)
        if passkey is not None:
            self.adapter.passkeys[peer] = passkey
        try:
            await self._att(self._pair)
        finally:
            self.adapter.passkeys.pop(peer, None)

    async def _pair(self) -> None:
        if self._connection is not None:
            await self._connection.pair()

    async def unpair(self) -> None:
        device = await self.adapter.device()
        if device.keystore and await device.keystore.get(str(self._target)):
            await device.keystore.delete(str(self._target))
        await self.disconnect()

    async def _att(self, act: Callable[[], Awaitable[T]]) -> T:
        connection = self._connection
        if connection is None:
            raise BleakError("Not connected")
        with bleak_errors():  # what takes several requests may lose the link between two of them
            return await connection.cancel_on_disconnection(act())

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, **_: object
    ) -> bytearray:
        return bytearray(await self._att(characteristic.obj.read_value))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_: object) -> bytearray:
        return bytearray(await self._att(descriptor.obj.read_value))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        write = characteristic.obj.write_value
        await self._att(lambda: write(bytes(data), with_response=response))

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        await self._att(lambda: descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: object
    ) -> None:
        def arrived(value: bytes) -> None:
            callback(bytearray(value))

        self._callbacks[characteristic.handle] = arrived
        await self._att(lambda: characteristic.obj.subscribe(arrived, prefer_notify=True))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        arrived = self._callbacks.pop(characteristic.handle, None)
        if arrived is None:
            return
        # Bumble forgets the subscriber first, and would confirm to nobody what comes meanwhile.
        switch = characteristic.obj.get_descriptor(
            GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
        )
        if switch is not None:
            await self._att(lambda: switch.write_value(NEITHER, with_response=True))
        await self._att(lambda: characteristic.obj.unsubscribe(arrived))
