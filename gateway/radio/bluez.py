"""One long-lived client of the system bus, for what BlueZ offers and bleak does not do.

It knows whether bluetoothd lives, hands on the signals that were asked for, and makes calls. If the
bus itself goes it comes back by itself, with all that was asked for.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

from dbus_fast import AuthError, BusType, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface

from drivers.api import LinkError
from gateway.link import AttError

log = logging.getLogger(__name__)

NAME = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
BUS = "org.freedesktop.DBus"

OWNER_RULE = f"type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{NAME}'"
UP_S = 2.0  # a call at the very start waits for the connection to the bus
AGAIN_S = 1.0  # the bus is a local socket: if it is not there, the system is just starting

Objects = dict[str, dict[str, dict[str, Any]]]
"""Path, interface, property: what BlueZ has."""

_ATT = re.compile(r"ATT error: 0x([0-9a-fA-F]{2})")  # as BlueZ words it (src/gatt-client.c)


class BluezError(LinkError):
    """BlueZ, or the bus in its place, refuses."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name.rpartition('.')[2]}: {text}" if text else name)
        self.name = name


class Bluez:
    """Runs for ever by `run`; until the bus is there, and again when it has gone, calls fail."""

    def __init__(
        self, limit_s: float, signal: Callable[[Message], None], owner: Callable[[bool], None]
    ) -> None:
        """*signal* is given what BlueZ says; *owner*, whether there is a bluetoothd (new)."""
        self._limit_s = limit_s
        self._signal, self._owner_changed = signal, owner
        self._rules: dict[str, int] = {OWNER_RULE: 1}
        self._exported: dict[str, ServiceInterface] = {}
        self._bus: MessageBus | None = None
        self._up = asyncio.Event()
        self._owner = ""

    @property
    def present(self) -> bool:
        """Whether a bluetoothd is on the bus."""
        return bool(self._owner)

    async def run(self) -> None:
        while True:
            bus = MessageBus(bus_type=BusType.SYSTEM)
            try:
                await bus.connect()
                bus.add_message_handler(self._handle)
                for path, interface in self._exported.items():
                    bus.export(path, interface)
                self._bus = bus
                self._up.set()
                await self._begin()
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's own
            except (AuthError, OSError, EOFError, LinkError) as error:
                log.debug("the system bus: %s", error)
            finally:
                self._bus = None
                self._up.clear()
                bus.disconnect()
            self._owned_by("")
            await asyncio.sleep(AGAIN_S)

    async def _begin(self) -> None:
        for rule in tuple(self._rules):
            await self._daemon("AddMatch", "s", rule)
        try:
            (owner,) = await self._daemon("GetNameOwner", "s", NAME)
        except BluezError:
            owner = ""
        self._owned_by(owner)

    async def watch(self, rule: str) -> None:
        """Ask for signals; counted, so that two may ask for the same. Raises LinkError."""
        self._rules[rule] = self._rules.get(rule, 0) + 1
        if self._rules[rule] == 1 and self._bus is not None:
            await self._daemon("AddMatch", "s", rule)

    async def unwatch(self, rule: str) -> None:
        self._rules[rule] -= 1
        if not self._rules[rule]:
            del self._rules[rule]
            if self._bus is not None:
                await self._daemon("RemoveMatch", "s", rule)

    async def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> list[Any]:
        """Raises LinkError; never starts a bluetoothd that is not there."""
        return await self._call(NAME, path, interface, member, signature, *body)

    async def objects(self) -> Objects:
        """Everything that BlueZ has. With a street full of strangers that is a lot."""
        (found,) = await self.call("/", OBJECTS, "GetManagedObjects")
        return {
            path: {name: plain(properties) for name, properties in interfaces.items()}
            for path, interfaces in found.items()
        }

    async def put(self, path: str, interface: str, name: str, value: Variant) -> None:
        """Set a property. Raises LinkError."""
        await self.call(path, PROPERTIES, "Set", "ssv", interface, name, value)

    def export(self, path: str, interface: ServiceInterface) -> None:
        """Offer an object that BlueZ may call, on this bus and on every later one."""
        self._exported[path] = interface
        if self._bus is not None:
            self._bus.export(path, interface)

    async def get(self, path: str, interface: str, name: str) -> object:
        """A property. Raises LinkError."""
        (variant,) = await self.call(path, PROPERTIES, "Get", "ss", interface, name)
        return variant.value

    async def wake(self) -> None:
        """Ask the bus to start a bluetoothd, as far as it knows how to. Raises LinkError."""
        await self._daemon("StartServiceByName", "su", NAME, 0)

    async def _daemon(self, member: str, signature: str, *body: object) -> list[Any]:
        return await self._call(BUS, "/org/freedesktop/DBus", BUS, member, signature, *body)

    async def _call(
        self, to: str, path: str, interface: str, member: str, signature: str, *body: object
    ) -> list[Any]:
        bus = await self._connected_bus(member)
        message = Message(
            destination=to,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
            flags=MessageFlag.NO_AUTOSTART,
        )
        try:
            async with asyncio.timeout(self._limit_s):
                answer = await bus.call(message)
        except TimeoutError as error:
            raise LinkError(f"{member}: no answer from BlueZ in time") from error
        except (OSError, EOFError) as error:
            raise LinkError(f"{member}: the system bus has gone") from error
        if answer.message_type is MessageType.ERROR:
            raise _refusal(answer)
        return list(answer.body)

    async def _connected_bus(self, member: str) -> MessageBus:
        """Raises LinkError.

        A call on a dead connection makes dbus-fast 5.2 take its file descriptor off the loop once
        more, though that number may be somebody else's by then.
        """
        if self._bus is None:
            try:
                async with asyncio.timeout(UP_S):
                    await self._up.wait()
            except TimeoutError as error:
                raise LinkError(f"{member}: the system bus is not there") from error
        if self._bus is None or not self._bus.connected:
            raise LinkError(f"{member}: the system bus has gone")
        return self._bus

    def _handle(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.sender == BUS and message.member == "NameOwnerChanged":
            if message.body[0] == NAME:
                self._owned_by(message.body[2])
        elif message.sender == self._owner:  # anybody may send us a signal by our own name
            self._signal(message)

    def _owned_by(self, owner: str) -> None:
        if owner == self._owner:
            return
        if self._owner:
            self._owner = ""
            self._owner_changed(False)
        self._owner = owner
        if owner:
            self._owner_changed(True)


def plain(properties: dict[str, Variant]) -> dict[str, Any]:
    return {name: variant.value for name, variant in properties.items()}


def _refusal(answer: Message) -> LinkError:
    text = str(answer.body[0]) if answer.body else ""
    if found := _ATT.search(text):
        return AttError(f"the meter refuses: {text}", int(found[1], 16))
    return BluezError(answer.error_name or "org.bluez.Error.Failed", text)
