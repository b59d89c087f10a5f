"""One bonded push meter as the listener knows it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.link import Inbox
from gateway.radio.bluez import CHARACTERISTIC, DEVICE, Objects

OF_BLUEZ = "type='signal',sender='org.bluez'"


@dataclass(slots=True, eq=False)
class Held:
    """`path`, and those in `found` and `armed`, are BlueZ's object paths."""

    address: str
    wanted: frozenset[UUID]
    path: str
    found: dict[str, UUID] = field(default_factory=dict)
    armed: set[str] = field(default_factory=set)  # subscribed to, as far as we know
    connected: bool = False
    released: bool = False  # switched off for the hang-up that is to come
    inbox: Inbox | None = None
    read: set[UUID] = field(default_factory=set)  # what the inbox is for
    heard: int = 0  # frames
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # one at a time speaks to BlueZ
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # nothing is left to be done

    @property
    def rules(self) -> tuple[str, str]:
        """What to ask the bus for: the meter's properties, and attributes that come and go."""
        return (f"{OF_BLUEZ},path_namespace='{self.path}'", f"{OF_BLUEZ},arg0path='{self.path}/'")

    def look(self, objects: Objects) -> None:
        """Learn what BlueZ has of it."""
        self.found.clear()
        self.connected = bool(objects.get(self.path, {}).get(DEVICE, {}).get("Connected"))
        for path, interfaces in objects.items():
            if CHARACTERISTIC in interfaces:
                self.find(path, interfaces[CHARACTERISTIC])

    def find(self, path: str, properties: dict[str, Any]) -> bool:
        """Whether that is a characteristic that we want."""
        uuid = UUID(properties["UUID"])
        if uuid not in self.wanted or not path.startswith(self.path + "/"):
            return False
        self.found[path] = uuid
        return True

    def chosen(self) -> list[str]:
        """Where a UUID occurs twice, the first is meant; the link chooses in the same way."""
        first: dict[UUID, str] = {}
        for path in sorted(self.found):  # they end in handles of four hexadecimal digits
            first.setdefault(self.found[path], path)
        return list(first.values())

    def lose(self, path: str) -> None:
        self.found.pop(path, None)
        self.armed.discard(path)

    def hung_up(self) -> None:
        """The link has ended: what comes now has no reader, and subscriptions may be dead."""
        self.connected = self.released = False
        self.inbox = None
        self.read.clear()
        self.armed.clear()


def place(objects: Objects, adapter: str, address: str) -> str:
    """The path of a meter. A resolvable private address names it until BlueZ starts again."""
    for path, interfaces in objects.items():
        if path.startswith(adapter + "/") and interfaces.get(DEVICE, {}).get("Address") == address:
            return path
    return f"{adapter}/dev_{address.replace(':', '_')}"
