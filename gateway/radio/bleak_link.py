"""A link that stands on one of bleak's clients."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from drivers.api import Frame, LinkError
from gateway.link import AttError, Counters, Inbox, Limits
from gateway.radio.backends import Ears
from gateway.radio.errors import link_errors

log = logging.getLogger(__name__)
T = TypeVar("T")

NO_SUCH_ATTRIBUTE = 0x0A  # Core Vol 3 Part F 3.4.1.1


class BleakLink:
    def __init__(
        self,
        limits: Limits,
        counters: Counters,
        ears: Ears,
        pair: Callable[[BleakClient], Awaitable[str]],
        bonded: Callable[[BleakClient], Awaitable[bool]],
    ) -> None:
        self._pair, self._bonded = pair, bonded
        self._limits = limits
        self._counters = counters
        self._ears = ears
        self._inbox = Inbox()
        self._subscribed: list[UUID] = []
        self._attached = False

    def attach(self, address: str, client: BleakClient) -> None:
        """The link to *address* stands. Where a UUID occurs twice the first one is meant."""
        self._client = client
        self._called = address
        self._found: dict[UUID, BleakGATTCharacteristic] = {}
        for _, each in sorted(client.services.characteristics.items()):  # by handle
            self._found.setdefault(UUID(each.uuid), each)
        self._attached = True
        if not client.is_connected:
            self._inbox.close()

    def lost(self, _client: BleakClient) -> None:
        if self._attached:  # before: a try that was aborted, and bleak makes another
            self._inbox.close()

    def drop(self) -> None:
        """The link cannot stand any more, whatever bleak believes."""
        self._inbox.close()

    @property
    def address(self) -> str:
        return self._client.address.upper()  # bleak replaces a resolvable one after pairing

    @property
    def connected(self) -> bool:
        return not self._inbox.lost and self._client.is_connected

    def has(self, characteristic: UUID) -> bool:
        return characteristic in self._found

    def writable(self, characteristic: UUID) -> bool:
        return self.has(characteristic) and "write" in self._found[characteristic].properties

    async def bond(self) -> str:
        return await self._call("pairing", self._limits.bond_s, lambda: self._pair(self._client))

    async def bonded(self) -> bool:
        found = await self._call("bond", self._limits.gatt_s, lambda: self._bonded(self._client))
        if not found and not self.connected:  # of a bond that stands nothing can be seen then
            raise LinkError(f"{self.address}: the link was lost")
        return found

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
        if self._ears.holds(self._called, characteristic):
            await self._gatt(
                "subscribe", at, lambda: self._ears.subscribe(self._called, at, self._inbox)
            )
            return

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

    def rest(self) -> list[Frame]:
        return self._inbox.rest()

    async def close(self) -> None:
        """Subscriptions off, then hang up. What fails is counted; the link is gone either way."""
        try:
            async with asyncio.timeout(self._limits.close_s):
                if self.connected:
                    await self._ears.release(self._called)
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
        with link_errors(self._counters, f"{self.address}: {doing}"):
            async with asyncio.timeout(limit_s):
                return await act()
