"""Frames on disk to readings on their way: decode, identify, render. The middle of the journey.

Everything here can be done again after a crash: frames stay `captured` until their reading is
filed, readings stay without a Bundle until one is stored.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NoReturn
from zoneinfo import ZoneInfo

from drivers.api import DecodeError, Driver, Reading
from gateway import clock, device_clock, identify
from gateway.clock import OurClock
from gateway.fhir import RenderError, gate, render
from gateway.model import DeviceRecord, GatewayInfo, Record, Segment, Stamp
from gateway.outbox import aside, bindings, devices, frames, moments, readings, rendering, sessions
from gateway.outbox.devices import Device, Known
from gateway.outbox.frames import Kept
from gateway.outbox.readings import Identified
from gateway.outbox.rendering import Unrendered
from gateway.outbox.store import Store
from gateway.suspects import Suspects

log = logging.getLogger(__name__)

BATCH = 20  # rows in one go: bounds memory, and the time the event loop is held
PATIENCE = timedelta(hours=24)  # design 8: held for our clock no longer than this
IDLE_S = 30.0  # our clock may become trusted without any row changing
LATE = timedelta(hours=24)  # the `late` attribute: news of yesterday


@dataclass(frozen=True, slots=True)
class Terms:
    """What the whole gateway has in common when a reading is made into a Bundle."""

    gateway: GatewayInfo
    zone: ZoneInfo
    simulated: bool
    gate: bool


class Process:
    """The worker between inbox and delivery."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        terms: Terms,
        suspects: Suspects | None = None,
    ) -> None:
        self._store, self._drivers, self._ours, self._terms = store, drivers, ours, terms
        self._whole = tuple(d.name for d in drivers.values() if d.settles == "session")
        self._suspects = suspects or Suspects(store, drivers, ours)
        self._gate_loaded = not terms.gate

    async def run(self) -> NoReturn:
        """For ever: whatever is on disk and not yet on its way."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.clear(), name="suspects")
            await self._work()

    async def clear(self) -> None:
        """Try what was in hand when the program died; the rest does not wait for that."""

        async def record(item: Unrendered) -> Record:
            return await self._record(item, self._ours.now())

        await self._suspects.clear(record, self._terms.gate)

    async def _work(self) -> NoReturn:
        while True:
            seen = self._store.revision
            while await self.step():
                pass
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._store.changed(seen)
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Handle one batch of each kind; whether there may be more."""
        now, cleared = self._ours.now(), self._suspects
        batch = await self._store(
            frames.take, self._whole, now, PATIENCE, BATCH, tuple(cleared.frames)
        )
        if batch:
            await self.handle(batch)
        if not self._gate_loaded and await self._store(rendering.any_to_render):
            await asyncio.to_thread(gate.load)  # a second or more: with nothing in hand
            self._gate_loaded = True
        waiting = await self._store(rendering.to_render, BATCH, tuple(cleared.readings))
        if waiting:
            await self._render(waiting)
        return bool(batch or waiting)

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
            await self._group(device, driver, [by_frame[id(frame)] for frame in group])

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
            await self._store(sessions.place, device.id, event.id, changed)

    async def _group(self, device: Device, driver: Driver, fresh: list[Kept]) -> None:
        """Frames that may belong to one reading, joined with what came before of it."""
        now = self._ours.utc()
        joins = driver.join(fresh[0].frame)
        known = await self._store(frames.related, device.id, joins) if joins else []
        octets = [kept.frame for kept in (*known, *fresh)]
        again = octets[len(known) - len(fresh) : len(known)] == octets[len(known) :]
        if again and known[-1].reading:
            await self._store(readings.repeat, fresh, known[-1].reading, joins, now)
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
            await self._identify(device, driver, reading, key, fresh[0])
            for reading, key in named
            if key is not None
        ]
        waited = [kept for kept in known if kept.reading is None]
        for filed in await self._store(readings.file, items, [*fresh, *waited], joins, now):
            log.info("device %d: reading %d: %s", device.id, filed.row, filed.outcome)

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
            place = await self._store(readings.place_of, device.id, key, place, when.said)
            if when.effective is not None and identify.live(when, arrived):
                place = await self._store(
                    readings.second_place, device.id, key, place, when.effective
                )
            elif identify.set_right(driver, when, zone):
                place = await self._store(readings.known_place, device.id, key, place)
        public = None
        if owner.binding and owner.binding.patient:
            patient = owner.binding.patient
            nth = await self._store(readings.occurrence, device.id, key, place)
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

    async def _render(self, waiting: Sequence[Unrendered]) -> None:
        now = self._ours.now()
        bundles: list[tuple[int, bytes, bool]] = []
        for item in waiting:
            try:
                body = render(await self._record(item, now))
                if self._terms.gate:
                    await asyncio.to_thread(gate.parse, body)  # the first time it loads models
            except Known as error:
                log.info("reading %d: %s", item.row, error)
                continue
            except RenderError as error:
                log.error("reading %d: parked: %s", item.row, error)  # noqa: TRY400 - no trace: may hold values
                await self._store(rendering.park, item.row, f"render: {error}", now.wall)
                continue
            late = item.effective is not None and now.wall - item.effective > LATE
            bundles.append((item.row, body, late))
        if bundles:
            await self._store(rendering.rendered, bundles, now.wall)

    async def _record(self, item: Unrendered, now: Stamp) -> Record:
        device = await self._store(devices.by_id, item.device)
        patient = await self._store(bindings.patient_of, item.binding)
        name, event = await self._store(sessions.clock_pair, item.session)
        pair = sessions.to_pair(name, event, clock.corrected(event.stamp, now) if event else None)
        driver = self._drivers.get(device.driver)
        if driver is None or patient is None or device.identity is None or device.info is None:
            raise RenderError("its person or its meter is not known")
        return Record(
            id=item.uuid,
            version=item.version,
            patient=patient,
            device=DeviceRecord(
                device.identity, device.address, driver.name, driver.specialization, device.info
            ),
            gateway=replace(self._terms.gateway, clock=self._ours.source),
            reading=item.reading,
            effective=item.effective,
            issued=item.issued,
            clock=pair,
            simulated=self._terms.simulated,
            zone=self._terms.zone.key,
        )


def _without_key(decoded: Sequence[Reading]) -> tuple[str, str]:
    """What becomes of frames that are no reading by themselves."""
    for reading in decoded:
        for flag, reason in identify.NEVER.items():
            if flag in reading.flags:
                return "ignored", reason
    return "held", "its record has not come yet"
