"""Has the pairing agent on the bus, and bonds allowed, only while somebody is expected.

BlueZ pairs with nobody without an agent, by "Just Works" neither. Ours is the default agent,
because bleak asks for the pairing on a connection of its own.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Protocol

from dbus_fast import Variant
from dbus_fast.service import ServiceInterface

from drivers.api import LinkError
from gateway.guests import GuestList
from gateway.radio.agent import Agent

log = logging.getLogger(__name__)

PATH = "/hjemgate/agent"
MANAGER = "org.bluez.AgentManager1"
ADAPTER = "org.bluez.Adapter1"


class Bus(Protocol):
    """What the porter asks of a D-Bus client. Both calls raise LinkError."""

    @property
    def present(self) -> bool: ...
    def export(self, path: str, interface: ServiceInterface) -> None: ...
    async def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> list[object]: ...
    async def put(self, path: str, interface: str, name: str, value: Variant) -> None: ...


class Porter:
    """Keeps BlueZ as the list of guests wants it: an agent and bonds, or neither."""

    def __init__(self, bus: Bus, adapter: str, guests: GuestList) -> None:
        """*adapter*: its object path."""
        self._bus, self._adapter, self._guests = bus, adapter, guests
        self._exported = False
        self._capability: str | None = None  # of the agent that BlueZ has; None: it has none
        self._turn = asyncio.Lock()
        self._stirred = asyncio.Event()

    async def run(self) -> None:
        """For ever: register anew with each bluetoothd that comes."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            await self.settle()

    def began(self) -> None:
        """There is a bluetoothd, or an adapter, that has not heard of us."""
        self._capability = None
        self._stirred.set()

    async def settle(self) -> None:
        """Tell BlueZ whom to expect. If it is away it is told when it comes."""
        async with self._turn:
            if not self._bus.present:
                return
            try:
                await self._agent(self._wanted)
                bondable = Variant("b", self._guests.anybody)
                await self._bus.put(self._adapter, ADAPTER, "Pairable", bondable)
            except LinkError as error:
                log.warning("the pairing agent: %s", error)

    @property
    def _wanted(self) -> str | None:
        if not self._guests.anybody:
            return None
        return "KeyboardDisplay" if self._guests.keyboard else "NoInputNoOutput"

    async def _agent(self, wanted: str | None) -> None:
        if wanted == self._capability:
            return
        self._capability = None
        with suppress(LinkError):  # there may be none: bluetoothd is new, or a call got lost
            await self._manage("UnregisterAgent", "o", PATH)
        if wanted is None:
            return
        if not self._exported:
            self._bus.export(PATH, Agent(self._guests))
            self._exported = True
        await self._manage("RegisterAgent", "os", PATH, wanted)
        self._capability = wanted
        await self._manage("RequestDefaultAgent", "o", PATH)

    async def _manage(self, member: str, signature: str, *body: str) -> None:
        await self._bus.call("/org/bluez", MANAGER, member, signature, *body)
