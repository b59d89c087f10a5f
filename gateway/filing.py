"""Frames of one session to readings that have a name, a time and a person.

Frames stay `captured` until their reading is filed: after a crash all of this is done again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from drivers.api import DecodeError, Driver, Frame, Reading
from gateway import clock, device_clock, identify
from gateway.clock import OurClock
from gateway.model import Segment
from gateway.outbox import aside, bindings, devices, frames, moments, places, readings, sessions
from gateway.outbox.devices import Device, Known
from gateway.outbox.frames import Kept
from gateway.outbox.readings import Identified
from gateway.outbox.store import Store

log = logging.getLogger(__name__)

ANNOUNCED = timedelta(days=1)  # the longest wait for a context in sessions that are cut short


class Filing:
    """Decode and identify, by the drivers' rules and by what is known of each meter's clock."""

    def __init__(self, store: Store, drivers: Mapping[str, Driver], ours: OurClock) -> None:
        self._store, self._drivers, self._ours = store, drivers, ours

    async def handle(self, batch: Sequence[Kept]) -> None:
        """Frames of one session of one meter, which may have been forgotten meanwhile."""
        try:
            await self._frames(batch)
        except Known as error:
            log.info("device %d: %s", batch[0].device, error)

    async def _frames(self, batch: Sequence[Kept]) -> None:
        device = await self._store(devices.by_id, batch[0].device)
        driver = self._drivers.get(device.driver)
        if driver is None:
            reason = f"this version has no driver {device.driver!r}"
            await self._store(aside.settle, batch, "parked", reason, None, self._ours.utc())
            return
        await self._place_clock(device, driver)
        by_frame: dict[int, Kept] = {id(kept.frame): kept for kept in batch}
        for group in driver.group([kept.frame for kept in batch]):
            await self._group(device, driver, [by_frame[id(frame)] for frame in group], batch)

    async def _place_clock(self, device: Device, driver: Driver) -> None:
        """Turn what sessions noted of the meter's clock into clock segments, in order."""
        now = self._ours.now()
        zone = self._ours.zone if driver.self_switching else None
        for event in await self._store(sessions.unplaced, device.id):
            ours = clock.corrected(event.stamp, now)
            if ours is None or event.device_clock is None:
                continue
            known = await self._store(sessions.segments, device.id)
            if event.kind == "read":
                shown = device_clock.shown(known, event.device_clock, ours, zone)
                changed = device_clock.read(known, shown, ours)
            else:
                shown = device_clock.shown((), event.device_clock, ours, zone)
                changed = device_clock.set_to(known, shown, ours)
            await self._store(sessions.place, device.id, event.id, changed, ours)

    async def _group(
        self, device: Device, driver: Driver, fresh: list[Kept], batch: Sequence[Kept]
    ) -> None:
        """Frames that may belong to one reading, joined with what came before of it. *batch*: all
        that came with them.
        """
        now = self._ours.utc()
        joins = driver.join(fresh[0].frame)
        known = await self._store(frames.related, device.id, joins) if joins else []
        octets = [kept.frame for kept in (*known, *fresh)]
        again = octets[len(known) - len(fresh) : len(known)] == octets[len(known) :]
        if again and known[-1].reading:
            await self._store(readings.repeat, fresh, known[-1].reading, joins, now)
            return
        if await self._waits(driver, octets, fresh, joins):
            return
        try:
            decoded = driver.decode(octets)
        except DecodeError as error:
            log.warning("device %d: frames parked: %s", device.id, error)
            reason = f"decode: {error}"
            await self._store(aside.settle, fresh, "parked", reason, joins, now, capped=True)
            return
        named = [(each, driver.key(octets, each)) for each in decoded]
        if not any(key for _, key in named):
            state, reason = _without_key(decoded)
            await self._store(aside.settle, fresh, state, reason, joins, now)
            return
        items = [
            replace(
                await self._identify(device, driver, reading, key, fresh[0]),
                same_as=await self._renumbered(device, driver, reading, batch),
            )
            for reading, key in named
            if key is not None
        ]
        waited = [kept for kept in known if kept.reading is None]
        for filed in await self._store(readings.file, items, [*fresh, *waited], joins, now):
            log.info("device %d: reading %d: %s", device.id, filed.row, filed.outcome)

    async def _renumbered(
        self, device: Device, driver: Driver, reading: Reading, batch: Sequence[Kept]
    ) -> int | None:
        """The row of a measurement that has another number now: some meters call the newest one 1.

        That is so if its stamp and its values are known under a number that has gone to another
        record. Where both are there, the meter's clock stands still, and they are two.
        """
        elsewhere = await self._store(places.elsewhere, device.id, reading)
        if not driver.numbered or not elsewhere:
            return None
        told = [each for kept in batch for each in _decoded(driver, kept.frame)]
        now = {each.sequence: each.taken_at for each in told if each.values}
        for row, number in elsewhere:
            if number in now and now[number] != reading.taken_at:
                return row
        return None

    async def _waits(
        self, driver: Driver, octets: Sequence[Frame], fresh: Sequence[Kept], joins: bytes | None
    ) -> bool:
        """Whether what a frame has announced is still to come: that may change what it means."""
        if any(kept.waited for kept in fresh) or not driver.awaits(octets):
            return False
        if await self._store(sessions.was_whole, fresh[0].session):
            return False
        await self._store(frames.wait, fresh, joins, self._ours.utc() + ANNOUNCED)
        return True

    async def _identify(
        self, device: Device, driver: Driver, reading: Reading, key: bytes, first: Kept
    ) -> Identified:
        """When it was taken, and whose it is. *first*: the frame with which it came."""
        now = self._ours.now()
        arrived = clock.corrected(first.stamp, now)
        known = await self._segments(device, driver, first, arrived)
        readable = await self._store(sessions.readable, device.id)
        zone = self._ours.zone
        when = identify.timing(driver, reading, known, arrived, zone, readable=readable)
        when = await self._stored(device, when)
        bound = await self._store(bindings.bindings, device.id)
        oldest = await self._store(sessions.in_memory, device.id, first.session)
        owner = identify.owner(device, bound, reading, when, in_memory=oldest)
        arrived_us = moments.to_us(first.stamp.wall)
        place = identify.place(driver, when, arrived_us)
        if not driver.numbered:
            place = await self._store(places.place_of, device.id, key, place, when.said)
            if when.effective is not None and identify.live(when, arrived):
                place = await self._store(
                    places.second_place, device.id, key, place, when.effective
                )
            elif identify.set_right(driver, when, zone):
                place = await self._store(places.known_place, device.id, key, place)
        public = None
        if owner.binding and owner.binding.patient:
            patient = owner.binding.patient
            nth = await self._store(places.occurrence, device.id, key, place)
            public = identify.public_id(patient, device, key, nth)
        return Identified(
            device.id,
            first.session,
            reading,
            key,
            place,
            when.segment.id if when.segment else None,
            owner.binding.id if owner.binding else None,
            public,
            when.effective,
            arrived or now.wall,
            arrived is not None or now.trusted,
            owner.state,
            owner.reason,
        )

    async def _segments(
        self, device: Device, driver: Driver, first: Kept, arrived: datetime | None
    ) -> Sequence[Segment]:
        """The clock segments that may explain what came with *first*.

        None of them, if our own clock was never right while it came, and the meter's fell back
        before or after: it was set or reset, and nobody knows by how much.
        """
        known = await self._store(sessions.segments, device.id)
        if arrived is not None or not known:
            return known
        shown = await self._store(sessions.shown_around, device.id, first.session)
        zone = self._ours.zone if driver.self_switching else None
        fell_back = any(
            device_clock.running(later, zone)[-1] < device_clock.running(earlier, zone)[0]
            for earlier, later in pairwise(shown)
        )
        return () if fell_back else known

    async def _stored(self, device: Device, when: identify.Timing) -> identify.Timing:
        if not when.changed:
            return when
        row = await self._store(sessions.place, device.id, None, list(when.changed))
        return identify.stored(when, row)


def _decoded(driver: Driver, frame: Frame) -> Sequence[Reading]:
    try:
        return driver.decode([frame])
    except DecodeError:
        return ()


def _without_key(decoded: Sequence[Reading]) -> tuple[str, str]:
    """What becomes of frames that are no reading by themselves."""
    for reading in decoded:
        for flag, reason in identify.NEVER.items():
            if flag in reading.flags:
                return "ignored", reason
    return "held", "its record has not come yet"
