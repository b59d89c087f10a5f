"""The Bluetooth half of a virtual meter: bonds, protected characteristics, a life of naps."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from bumble import att, core
from bumble.core import UUID, AdvertisingData
from bumble.data_types import CompleteListOf16BitServiceUUIDs, CompleteLocalName, Flags
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    CharacteristicValue,
    Descriptor,
    Service,
)
from bumble.hci import Address

from simulator.air import Air
from simulator.bumble_host import KEYS, PRIVATE_KEYS, cancellations, display, just_works
from simulator.meters.information import information
from simulator.meters.meter import Clock, Habits, Identity
from simulator.meters.octets import current_time, from_current_time

Properties = Characteristic.Properties
Permissions = Characteristic.Permissions
OPEN = Permissions.READABLE | Permissions.WRITEABLE
PROTECTED = OPEN | Permissions.READ_REQUIRES_ENCRYPTION | Permissions.WRITE_REQUIRES_ENCRYPTION

OUT_OF_RANGE = 0xFF  # ATT: a date that does not exist
DISCOVERABLE = (
    AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
)


class Peripheral:
    """One virtual meter's stack. `live` runs it; `serve` is what the meter itself does."""

    def __init__(self, air: Air, identity: Identity, service: int, habits: Habits) -> None:
        self.clock = Clock()
        self.connection: Connection | None = None
        self._habits = habits
        self._drop_after = habits.gives_up_after
        self._stirred = asyncio.Event()
        self._awake_until = 0.0
        self._called = False  # awake for its own sake: somebody pressed the button
        controller = air.controller(identity.name)
        config = DeviceConfiguration(
            name=identity.name,
            address=Address(identity.address),
            classic_smp_enabled=False,
            le_privacy_enabled=habits.private,
            le_rpa_timeout=0,  # see `hide_anew`
            irk=secrets.token_bytes(16),
        )
        self._device = Device.from_config_with_hci(config, controller, controller)
        self.passkey = habits.passkey
        self._device.pairing_config_factory = lambda _: (
            just_works(PRIVATE_KEYS if habits.private else KEYS)
            if self.passkey is None
            else display(self.passkey)
        )
        self._device.on(Device.EVENT_CONNECTION, self._connected)
        self._device.advertising_data = bytes(
            AdvertisingData(
                [
                    Flags(DISCOVERABLE),
                    CompleteListOf16BitServiceUUIDs([UUID.from_16_bits(service)]),
                    CompleteLocalName(identity.name),
                ]
            )
        )
        self._device.add_services(self._common(identity))

    def characteristic(
        self,
        short: int,
        properties: Properties,
        value: bytes | CharacteristicValue[bytes] = b"",
        permissions: Characteristic.Permissions = PROTECTED,
    ) -> Characteristic[bytes]:
        """One that keeps the meter awake when touched; its CCCD is protected like itself."""
        made: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(short), properties, permissions, value
        )
        if properties & (Properties.NOTIFY | Properties.INDICATE):
            switch = Descriptor(
                GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
                permissions,
                self._device.gatt_server.make_descriptor_value(made),
            )
            switch.on(att.Attribute.EVENT_WRITE, self._touched)
            made.descriptors = [switch]
        made.on(att.Attribute.EVENT_READ, self._touched)
        made.on(att.Attribute.EVENT_WRITE, self._touched)
        return made

    def offer(self, service: int, characteristics: list[Characteristic[bytes]]) -> None:
        self._device.add_service(Service(UUID.from_16_bits(service), characteristics))

    def wake(self, called: bool = False) -> None:
        self._called = self._called or called
        self._awake_until = asyncio.get_running_loop().time() + self._habits.awake_s
        self._stirred.set()

    async def forget(self) -> None:
        """Lose every bond, as after new batteries in some meters."""
        if self._device.keystore:
            await self._device.keystore.delete_all()

    async def live(self, serve: Callable[[], Awaitable[None]], waiting: Callable[[], bool]) -> None:
        """For ever: advertise while *waiting* or called, *serve* when stirred, hang up when idle.

        Cancel it to switch the meter off.
        """
        await self._device.power_on()
        while True:
            await self._advertise(waiting)
            if cancellations():  # Bumble may have swallowed it: see `bleak_errors`
                return
            try:
                async with asyncio.timeout(self._patience_s()):
                    await self._stirred.wait()
            except TimeoutError:
                self._called = False
                await self.hang_up()
                continue
            self._stirred.clear()
            if self.connection is not None:
                await serve()

    def subscribed(self, characteristic: Characteristic[bytes]) -> bool:
        connection = self.connection
        return connection is not None and any(
            self._device.gatt_server.read_cccd(connection, characteristic)
        )

    async def indicate(self, characteristic: Characteristic[bytes], octets: bytes) -> bool:
        """True once the other side confirmed; False if it did not want to or the link was lost."""
        server = self._device.gatt_server
        return await self._send(server.indicate_subscriber, characteristic, octets)

    async def notify(self, characteristic: Characteristic[bytes], octets: bytes) -> bool:
        """True if it was sent: nobody confirms a notification."""
        server = self._device.gatt_server
        return await self._send(server.notify_subscriber, characteristic, octets)

    async def _send(
        self,
        send: Callable[[Connection, Characteristic[bytes], bytes, bool], Awaitable[None]],
        characteristic: Characteristic[bytes],
        octets: bytes,
    ) -> bool:
        if self._drop_after == 0:
            self._drop_after = None
            await self.hang_up()
        connection = self.connection
        if connection is None or not self.subscribed(characteristic):
            return False
        # Bumble itself would wait 30 s for a confirmation over a link that is gone.
        sending = asyncio.ensure_future(
            connection.cancel_on_disconnection(send(connection, characteristic, octets, True))
        )
        try:
            await asyncio.wait({sending})
        finally:
            sending.cancel()
        if self._drop_after is not None:
            self._drop_after -= 1
        return not sending.cancelled() and sending.exception() is None

    async def hang_up(self) -> None:
        connection = self.connection
        if connection is not None:
            with suppress(core.BaseBumbleError):  # the other side was quicker
                await connection.disconnect()

    async def sleep(self) -> None:
        """Stop advertising at once, whatever waits to be collected."""
        self._awake_until = 0.0
        self._stirred.set()
        await self._device.stop_advertising()

    async def hide_anew(self) -> None:
        """Take another private address, as after a quarter of an hour. Only while it sleeps."""
        for _ in range(2):  # Bumble tells its controller the address of the time before
            await self._device.update_rpa()

    def deafen(self) -> None:
        """Answer nothing any more on the present link: a meter whose firmware hangs."""
        self._device.l2cap_channel_manager.register_fixed_channel(att.ATT_CID, lambda *_: None)

    async def _advertise(self, waiting: Callable[[], bool]) -> None:
        """Begin or end, as the moment wants it. A connection has ended it already."""
        loop = asyncio.get_running_loop()
        wanted = (
            self.connection is None
            and loop.time() < self._awake_until
            and (self._called or waiting())
        )
        if wanted and not self._device.is_advertising:
            interval = float(self._habits.advertising_ms)
            await self._device.start_advertising(
                advertising_interval_min=interval, advertising_interval_max=interval
            )
        elif not wanted and self._device.is_advertising:
            await self._device.stop_advertising()

    def _patience_s(self) -> float | None:
        if self.connection is not None:
            return self._habits.idle_s
        if self._device.is_advertising:
            return max(0.0, self._awake_until - asyncio.get_running_loop().time())
        return None

    def _connected(self, connection: Connection) -> None:
        self.connection = connection
        self._called = False
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
        self._stirred.set()

    def _disconnected(self, _reason: int) -> None:
        self.connection = None
        self._stirred.set()

    def _touched(self, *_: object) -> None:
        self._stirred.set()

    def _common(self, identity: Identity) -> list[Service]:
        """Device Information and Battery, open to all; Current Time, protected."""

        def fixed(short: int, value: bytes) -> Characteristic[bytes]:
            return self.characteristic(short, Properties.READ, value, Permissions.READABLE)

        self.information = {  # by 16-bit UUID: its maker's app may give it other firmware
            short: fixed(short, value) for short, value in information(identity).items()
        }
        time = self.characteristic(
            0x2A2B,
            Properties.READ | Properties.WRITE,
            CharacteristicValue(read=self._tell_time, write=self._set_time),
        )
        self.battery = fixed(0x2A19, bytes([87]))
        return [
            Service(UUID.from_16_bits(0x180A), list(self.information.values())),
            Service(UUID.from_16_bits(0x180F), [self.battery]),
            Service(UUID.from_16_bits(0x1805), [time]),
        ]

    def _tell_time(self, _connection: Connection) -> bytes:
        return current_time(self.clock.shows(datetime.now(UTC)))

    def _set_time(self, _connection: Connection, octets: bytes) -> None:
        try:
            self.clock.set(from_current_time(octets), datetime.now(UTC))
        except (ValueError, TypeError) as error:
            raise att.ATT_Error(OUT_OF_RANGE) from error
