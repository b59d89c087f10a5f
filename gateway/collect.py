"""From the radio to the outbox: hear a known meter, connect, let its driver converse with it."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from drivers.api import Driver, LinkError
from gateway.clock import OurClock
from gateway.guests import BondLost
from gateway.introduction import Introductions
from gateway.live import RadioFacts
from gateway.onlookers import Onlookers
from gateway.outbox import devices, quota, sessions
from gateway.outbox.devices import Device, Known
from gateway.outbox.roster import Entry, roster
from gateway.outbox.store import Store
from gateway.pairing_window import Windows
from gateway.radio import Radio
from gateway.session import LiveSession, converse
from gateway.strays import Strays

log = logging.getLogger(__name__)

# After a conversation a meter may go on advertising for a while with nothing more to say.
REST_S = 5.0
# After a failure it is tried again soon, then less and less: it is awake for half a minute or so.
RETRY_FIRST_S, RETRY_CAP_S = 1.0, 60.0


UNBONDED = ("none", "none yet")  # what devices.bond says of a meter without one


class Collect:
    """Listens for the meters of this home, for ever. One session per meter at a time."""

    def __init__(
        self,
        store: Store,
        radio: Radio,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        facts: RadioFacts,
        windows: Windows,
        onlookers: Onlookers,
    ) -> None:
        self._store, self._radio, self._drivers = store, radio, drivers
        self._ours, self._facts = ours, facts
        self._onlookers = onlookers
        self._introductions = Introductions(store, radio, drivers, windows, ours)
        self._known: dict[str, Entry] = {}
        self._busy: set[int] = set()
        self._not_before: dict[int, float] = {}
        self._listening: set[str] = set()
        self._strays = Strays(store, radio, ours, self._device_at)

    async def refresh(self) -> None:
        """Learn anew which meters are ours."""
        self._known = await self._store(roster)
        known = await self._store(devices.all_devices)
        for address in self._listening - set(self._known):
            self._listening.discard(address)
            await self._radio.let_go(address)
        for each in known:
            if each.id not in self._busy:  # after it: two subscriptions would hear all twice
                await self._listen(each)

    async def run(self) -> None:
        await self._store(sessions.end_all, self._ours.utc())
        await self.refresh()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._strays.run(), name="strays")
            self._facts.scanning = True
            async for heard in self._radio.advertisements(self._wanted):
                self._onlookers.tell(heard)
                entry = self._known.get(heard.address)
                if entry is None or not self._ready(heard.address, entry):
                    continue
                self._busy.add(entry.id)
                group.create_task(self._attend(entry.id), name=f"session with device {entry.id}")

    def _device_at(self, address: str) -> int | None:
        entry = self._known.get(address)
        return None if entry is None else entry.id

    def _wanted(self, address: str, services: Sequence[str]) -> bool:
        return address in self._known or self._onlookers.want(services)

    def _ready(self, address: str, entry: Entry) -> bool:
        if entry.id in self._busy or not self._introductions.may_meet(address, entry):
            return False
        rested = time.monotonic() >= self._not_before.get(entry.id, 0.0)
        return self._introductions.awaited(address) or rested

    async def _attend(self, device_id: int) -> None:
        try:
            await self._meet(device_id)
            self._facts.failing.pop(device_id, None)
            self._facts.bonds_lost.discard(device_id)
            self._not_before[device_id] = time.monotonic() + REST_S
        except (LinkError, Known) as error:
            failures = self._facts.failing[device_id] = self._facts.failing.get(device_id, 0) + 1
            pause = min(RETRY_CAP_S, RETRY_FIRST_S * 2 ** (failures - 1))
            self._not_before[device_id] = time.monotonic() + pause
            if isinstance(error, BondLost):
                self._facts.bonds_lost.add(device_id)
            self._facts.last_error = f"device {device_id}: {error}"
            log.warning("device %d: %s; again in %.0f s at the earliest", device_id, error, pause)
        finally:
            self._busy.discard(device_id)

    async def _meet(self, device_id: int) -> None:
        device = await self._store(devices.find_by_id, device_id)
        if device is None:  # forgotten since it was heard
            return
        driver = self._drivers.get(device.driver)
        if driver is None:
            raise Known(f"this version has no driver {device.driver!r}")
        if await self._introductions.clears(device):
            return
        if await self._store(
            quota.full
        ):  # told by a condition; unconnected, the meter says nothing
            log.info("device %d: no room in the outbox: the meter keeps what it has", device_id)
            return
        outcome = "ended early"
        try:
            conversed = await self._session(device, driver)
            outcome = "complete" if conversed else "introduced"
        except* (LinkError, Known) as errors:
            first = self._introductions.failed(device, _first(errors))
            outcome = str(first)
            raise first from errors
        finally:
            kept = await self._strays.end(device_id, outcome)
            if kept is not None:
                log.info("device %d: %d frames kept, session %s", device_id, kept, outcome)
            if device.identity is None:  # it has one now, and perhaps another address
                self._known = await self._store(roster)
            await self._listen(await self._store(devices.find_by_id, device_id))

    async def _session(self, device: Device, driver: Driver) -> bool:
        """One connection; whether there was a conversation. Its frames are pumped to disk until
        after the link is closed: what the meter sends while we hang up is confirmed as well.
        """
        trouble: LinkError | Known | None = None
        conversed = False
        async with (
            asyncio.TaskGroup() as group,
            self._radio.connect(device.address) as link,
        ):
            row = await self._strays.begin(device.id)
            session = LiveSession(self._store, self._ours, link, driver, device, row)
            self._facts.links += 1
            try:
                if await self._introductions.greet(link, driver, device, row):
                    group.create_task(session.pump(), name=f"pump of device {device.id}")
                    conversed = True
                    await converse(session, driver)
                    await self._introductions.ask_anew(link, device)
            except (LinkError, Known) as error:
                trouble = error
            finally:
                self._facts.links -= 1
        self._strays.counted(device.id, session.count)
        if trouble is not None:
            raise trouble
        return conversed

    async def _listen(self, device: Device | None) -> None:
        """Hear a bonded meter that sends by itself, also while there is no conversation.

        Asked again and again: once its bond was deleted, nobody listens to it.
        """
        if device is None:
            return
        driver = self._drivers.get(device.driver)
        bonded = device.identity is not None and device.bond not in UNBONDED
        if bonded and driver is not None and not driver.numbered:
            self._listening.add(device.address)
            await self._radio.hold(device.address, driver.data)


def _first(errors: BaseExceptionGroup[LinkError | Known]) -> LinkError | Known:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return LinkError("the link failed")
