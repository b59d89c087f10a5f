"""Frames on disk to readings on their way: decode, identify, render. The middle of the journey.

Everything here can be done again after a crash: frames stay `captured` until their reading is
filed, readings stay without a Bundle until one is stored.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

from drivers.api import Driver
from gateway import clock
from gateway.clock import OurClock
from gateway.fhir import RenderError, gate, render
from gateway.filing import Filing
from gateway.model import ClockPair, DeviceRecord, Record, Stamp
from gateway.outbox import bindings, devices, frames, rendering, sessions
from gateway.outbox.devices import Known
from gateway.outbox.rendering import Unrendered
from gateway.outbox.store import Store
from gateway.suspects import Suspects
from gateway.terms import Terms

log = logging.getLogger(__name__)

BATCH = 20  # rows in one go: bounds memory, and the time the event loop is held
PATIENCE = timedelta(hours=24)  # design 8: held for our clock no longer than this
IDLE_S = 30.0  # our clock may become trusted without any row changing
LATE = timedelta(hours=24)  # the `late` attribute: news of yesterday


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
        self.filing = Filing(store, drivers, ours)
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
            await self.filing.handle(batch)
        if not self._gate_loaded and await self._store(rendering.any_to_render):
            await asyncio.to_thread(gate.load)  # a second or more: with nothing in hand
            self._gate_loaded = True
        waiting = await self._store(rendering.to_render, BATCH, tuple(cleared.readings))
        if waiting:
            await self._render(waiting)
        return bool(batch or waiting)

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

    async def _clock_pair(self, item: Unrendered, now: Stamp) -> ClockPair | None:
        """Of its session: the same in each of its Bundles, and only where it explains the stamp.

        A stamp on another segment (the clock was reset meanwhile) was resolved by an earlier pair,
        and one on none by no pair at all.
        """
        name, event = await self._store(sessions.clock_pair, item.session)
        if event is None:
            return None
        stamped = item.reading.taken_at is not None
        if stamped and event.segment is not None and item.segment != event.segment:
            return None
        return sessions.to_pair(name, event, event.corrected or clock.corrected(event.stamp, now))

    async def _record(self, item: Unrendered, now: Stamp) -> Record:
        device = await self._store(devices.by_id, item.device)
        patient = await self._store(bindings.patient_of, item.binding)
        pair = await self._clock_pair(item, now)
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
            shares_stamp=item.shares_stamp,
            former=item.former,
            withdrawn=item.withdrawn,
            zone=self._terms.zone.key,
        )
