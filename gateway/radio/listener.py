"""Holds the only subscription to what bonded push meters send, whether a link stands or not.

A bonded meter may indicate as soon as the link is encrypted, before any client has looked at its
services; BlueZ confirms that all the same, and what no subscription hears is gone. A subscription
of a client that stays on the bus outlives the link, so ours does. How BlueZ behaves around it was
measured; the rules that follow from that are in docs/bluetooth.md.
"""

import asyncio
import logging
from uuid import UUID

from bleak.backends.characteristic import BleakGATTCharacteristic
from dbus_fast import Message

from drivers.api import Frame, LinkError
from gateway.link import Counters, Inbox, Orphans
from gateway.radio.bluez import CHARACTERISTIC, DEVICE, Bluez, Objects, plain
from gateway.radio.held import Held, place
from gateway.radio.subscriptions import Subscriptions

log = logging.getLogger(__name__)

READY_S = 5.0  # to subscribe while the meter is away takes BlueZ milliseconds


class Listener:
    """What is heard goes to the link that has subscribed, else to *orphans*: nothing is dropped."""

    def __init__(self, bluez: Bluez, adapter: str, counters: Counters, orphans: Orphans) -> None:
        self._bluez, self._adapter = bluez, adapter
        self._counters, self._orphans = counters, orphans
        self._subscriptions = Subscriptions(bluez, counters)
        self._held: dict[str, Held] = {}
        self._due: list[Held] = []
        self._stirred = asyncio.Event()

    async def run(self) -> None:
        """Keep the subscriptions as they ought to be, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                due, self._due = self._due, []
                for held in due:
                    group.create_task(self._arm(held), name=f"arm {held.address}")

    # ---- what the radio asks for ----

    def holds(self, address: str, characteristic: UUID) -> bool:
        held = self._held.get(address)
        return held is not None and characteristic in held.wanted

    def heard(self, address: str) -> int:
        """How many frames came from that meter so far."""
        held = self._held.get(address)
        return held.heard if held is not None else 0

    async def hold(self, address: str, characteristics: frozenset[UUID]) -> None:
        """From now on, for a meter that is bonded."""
        if address in self._held:
            return
        held = self._held[address] = Held(address, characteristics, self._path({}, address))
        try:
            await self._subscriptions.watch(held)
            if self._bluez.present:
                await self._look(held, await self._bluez.objects())
        except LinkError as error:  # it is looked at again when BlueZ is there again
            self._failed(held, error)

    async def let_go(self, address: str) -> None:
        """It is not ours to hear any more."""
        held = self._held.pop(address, None)
        if held is None:
            return
        try:
            async with held.lock:
                for path in tuple(held.armed):
                    await self._subscriptions.stop(held, path)
            await self._subscriptions.unwatch(held)
        except LinkError as error:
            self._failed(held, error)

    async def ready(self, address: str) -> None:
        """Until its subscriptions are as they ought to be: only then may it be connected."""
        held = self._held.get(address)
        if held is None:
            return
        try:
            async with asyncio.timeout(READY_S):
                await held.settled.wait()
        except TimeoutError:
            log.warning("meter ..%s: connecting, though nothing listens yet", address[-5:])

    async def subscribe(self, address: str, at: BleakGATTCharacteristic, inbox: Inbox) -> None:
        """What comes from now on goes to *inbox*. Raises LinkError."""
        held, uuid = self._held[address], UUID(at.uuid)
        path: str = at.obj[0]  # as bleak keeps it, over BlueZ
        async with held.lock:
            if not path.startswith(held.path + "/"):
                await self._subscriptions.move(held, path.rsplit("/", 2)[0])
            held.found[path] = uuid
            held.connected, held.released = True, False
            held.inbox = inbox
            held.read.add(uuid)
            if path not in held.armed:
                await self._subscriptions.start(held, path)

    async def release(self, address: str) -> None:
        """Before we hang up: off, so that the meter keeps what it measures. Raises LinkError."""
        held = self._held.get(address)
        if held is None or not held.connected:
            return
        async with held.lock:
            held.released = True
            for path in tuple(held.armed):
                await self._subscriptions.stop(held, path)

    def rearm(self, address: str) -> None:
        """A connect was given up: what BlueZ believes of its subscriptions may be wrong."""
        if held := self._held.get(address):
            held.armed.clear()
            self._want(held)

    # ---- what BlueZ tells ----

    async def began(self, objects: Objects) -> None:
        """There is a bluetoothd, or its adapter has power again."""
        for held in tuple(self._held.values()):
            await self._look(held, objects)

    def ended(self) -> None:
        """bluetoothd has gone, and with it every subscription and every object."""
        for held in self._held.values():
            held.hung_up()
            held.found.clear()

    def signal(self, message: Message) -> None:
        """InterfacesAdded, InterfacesRemoved or PropertiesChanged."""
        path = message.path if message.member == "PropertiesChanged" else message.body[0]
        held = self._whose(path or "")
        if held is None:
            return
        match message.member, message.body:
            case "InterfacesAdded", [path, dict(added)]:
                if CHARACTERISTIC in added and held.find(path, plain(added[CHARACTERISTIC])):
                    self._want(held)
            case "InterfacesRemoved", [path, _]:
                held.lose(path)
            case "PropertiesChanged", [interface, dict(changed), _]:
                if interface == DEVICE and path == held.path and "Connected" in changed:
                    self._connected(held, changed["Connected"].value)
                if interface == CHARACTERISTIC and path in held.found and "Value" in changed:
                    self._heard(held, Frame(held.found[path], bytes(changed["Value"].value)))

    def _whose(self, path: str) -> Held | None:
        for held in self._held.values():
            if path == held.path or path.startswith(held.path + "/"):
                return held
        return None

    def _connected(self, held: Held, connected: bool) -> None:
        if connected:
            held.connected = True
            return
        held.hung_up()
        self._want(held)

    def _heard(self, held: Held, frame: Frame) -> None:
        held.heard += 1
        inbox = held.inbox if frame.characteristic in held.read else None
        if inbox is None or not inbox.put(frame):
            self._counters.orphans += 1
            self._orphans.put(held.address, frame)

    # ---- what is done about it ----

    def _want(self, held: Held) -> None:
        held.settled.clear()
        self._due.append(held)
        self._stirred.set()

    async def _arm(self, held: Held) -> None:
        try:
            await self._subscriptions.arm(held)
        finally:
            if held not in self._due:
                held.settled.set()

    async def _look(self, held: Held, objects: Objects) -> None:
        path = self._path(objects, held.address)
        if path != held.path:
            await self._subscriptions.move(held, path)
        held.look(objects)
        held.armed.clear()
        self._want(held)

    def _path(self, objects: Objects, address: str) -> str:
        return place(objects, self._adapter, address)

    def _failed(self, held: Held, error: LinkError) -> None:
        self._subscriptions.failed(held, error)
        held.settled.set()
