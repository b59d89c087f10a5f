"""How a meter becomes one of this home: bonded inside a window, frozen, given its person."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from drivers.api import Bond, DeviceInfo, Driver, LinkError
from gateway.clock import OurClock
from gateway.guests import BondError, BondLost
from gateway.link import Link
from gateway.outbox import bindings, devices, roster
from gateway.outbox.devices import Device, Known
from gateway.outbox.roster import Entry
from gateway.outbox.store import Store
from gateway.pairing import LOST_HERE, LOST_THERE, Introduction, information, introduce
from gateway.pairing_window import Window, Windows
from gateway.radio import Radio

log = logging.getLogger(__name__)

BIND_S = 60.0  # a technician types whose it is; the meter may stay on the line for so long
OLD = timedelta(days=30)  # then what it says of itself is read anew: its firmware may have changed
ASK_S = 10.0  # ten reads or so; a meter that has told all it had to tell is about to hang up


class Introductions:
    """What collect asks before a conversation, and once it is over."""

    def __init__(
        self,
        store: Store,
        radio: Radio,
        drivers: Mapping[str, Driver],
        windows: Windows,
        ours: OurClock,
    ) -> None:
        self._store, self._radio, self._drivers, self._windows = store, radio, drivers, windows
        self._ours = ours

    def may_meet(self, address: str, entry: Entry) -> bool:
        """Whether a meter that is heard is to be connected to.

        Not before it has been introduced unless a window is open for it, nor before it is
        somebody's: what it remembers is safest in the meter.
        """
        if self._windows.find(address) is not None:
            return True
        driver = self._drivers.get(entry.driver)
        needless = driver is not None and driver.bond is Bond.NONE
        return entry.bound and (entry.introduced or needless)

    def awaited(self, address: str) -> bool:
        """Whether it is the first time that it is heard since its window was opened."""
        window = self._windows.find(address)
        if window is None or window.heard:
            return False
        window.heard = True
        window.tell("heard")
        return True

    async def clears(self, device: Device) -> bool:
        """Whether its bond was deleted just now, to be made anew: it has to be heard again first.

        Raises LinkError.
        """
        window = self._windows.find(device.address)
        if window is None or not window.anew:
            return False
        await self._radio.forget(device.address)
        window.anew = False
        log.info("device %d: its old bond is deleted", device.id)
        return True

    async def greet(self, link: Link, driver: Driver, device: Device, row: int) -> bool:
        """Whether there is to be a conversation. Raises LinkError and Known."""
        window = self._windows.find(device.address)
        if device.identity is None:
            await self._first_contact(link, driver, device, row, window)
        elif driver.bond is Bond.REQUIRED and not await link.bonded():
            await self._again(link, driver, device, window)
        elif window is not None:
            await self._windows.close(window, "the bond stands")
        return await self._somebodys(link, device)

    def failed(self, device: Device, error: LinkError | Known) -> LinkError | Known:
        """The error in words for a technician, told at the window as well."""
        if isinstance(error, BondLost) and isinstance(error.__cause__, Exception):
            error = BondLost(LOST_THERE.format(address=device.address))
        if window := self._windows.find(device.address):
            cause = error.__cause__
            wrong = isinstance(cause, BondError) and cause.answered
            window.tell("failed", words=str(error), wrong_passkey=wrong)
        return error

    async def ask_anew(self, link: Link, device: Device) -> None:
        """Read what a known meter says of itself, if that was long ago.

        After all else, and nothing hangs on it: a meter that hangs up is asked the next time.
        Raises Known if it was forgotten.
        """
        now = self._ours.now()
        if device.info is None or not now.trusted or not link.connected:
            return
        if device.info_read_at is not None and abs(now.wall - device.info_read_at) <= OLD:
            return
        try:
            async with asyncio.timeout(ASK_S):
                told = await information(link)
        except (LinkError, TimeoutError) as error:
            log.info("device %d: did not say anew who it is: %s", device.id, error)
            return
        await self._told(device, told)

    async def _told(self, device: Device, told: DeviceInfo) -> None:
        """Take over what a known meter says of itself now. Raises Known if it was forgotten."""
        now, known = self._ours.now(), device.info
        if known and known.system_id and told.system_id not in (b"", known.system_id):
            log.warning("device %d: has another System ID now: the first one counts", device.id)
            told = DeviceInfo()
        if now.trusted and await self._store(devices.told_anew, device.id, told, now.wall):
            log.info("device %d: says something new of itself", device.id)

    async def _first_contact(
        self, link: Link, driver: Driver, device: Device, row: int, window: Window | None
    ) -> None:
        met, now = await introduce(link, driver), self._ours.now()
        read_at = now.wall if now.trusted else None
        await self._store(
            devices.introduced, device.id, row, met.identity, met.info, met.bond, read_at
        )
        if link.address != device.address:  # it had advertised by a resolvable one
            await self._store(roster.moved, device.id, link.address)
        log.info("device %d: introduced, bond: %s", device.id, met.bond)
        await self._paired(window, link, met)

    async def _again(
        self, link: Link, driver: Driver, device: Device, window: Window | None
    ) -> None:
        """We have no key for a meter that we know: no reading without a bond."""
        if not link.connected:
            raise LinkError("the meter hung up before it was known whether its bond stands")
        if window is None:
            self._radio.counters.bond_errors += 1
            raise BondLost(LOST_HERE.format(address=device.address))
        met = await introduce(link, driver)
        try:
            await self._store(roster.paired_anew, device.id, met.identity, met.bond)
        except Known as error:
            await self._radio.forget(device.address)
            await self._windows.close(window, str(error))  # it will not be another one in a minute
            raise
        await self._told(device, met.info)
        log.info("device %d: paired anew, bond: %s", device.id, met.bond)
        await self._paired(window, link, met)

    async def _paired(self, window: Window | None, link: Link, met: Introduction) -> None:
        if window is None:
            return
        info = {key: value for key, value in asdict(met.info).items() if isinstance(value, str)}
        window.tell("paired", address=link.address, identity=met.identity, bond=met.bond, **info)
        await self._windows.close(window, "paired")

    async def _somebodys(self, link: Link, device: Device) -> bool:
        """Wait until the meter is given its person, as long as it stays on the line."""
        try:
            async with asyncio.timeout(BIND_S):
                while link.connected:
                    seen = self._store.revision
                    if await self._store(bindings.bindings, device.id):
                        return True
                    await self._store.changed(seen)
        except TimeoutError:
            log.info("device %d: is nobody's yet, and not read", device.id)
        return False
