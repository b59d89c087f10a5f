"""Rows that were in hand when the program died: tried apart, while all others go their way."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from drivers.api import Driver
from gateway import trial
from gateway.clock import OurClock
from gateway.fhir import RenderError
from gateway.model import Record
from gateway.outbox import aside, frames, rendering
from gateway.outbox.devices import Known
from gateway.outbox.frames import Kept
from gateway.outbox.rendering import Unrendered
from gateway.outbox.store import Store

log = logging.getLogger(__name__)

REASON = "the program ends when it handles this: at its work, and again in a trial"


class Survives(Protocol):
    """See `gateway.trial.survives`."""

    def __call__(self, step: Callable[..., None], /, *arguments: object) -> Awaitable[bool]: ...


class Suspects:
    """Call `clear` once; `frames` and `readings` are those that may be handled all the same."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        survives: Survives = trial.survives,
    ) -> None:
        self._store, self._drivers, self._ours, self._survives = store, drivers, ours, survives
        self.frames: set[int] = set()
        self.readings: set[int] = set()

    async def clear(
        self, record: Callable[[Unrendered], Awaitable[Record]], with_gate: bool
    ) -> None:
        """Try what died in an earlier life of the program; park what dies again."""
        await self._store(aside.park_suspects, self._ours.utc())
        by_driver: defaultdict[str, list[Kept]] = defaultdict(list)
        for kept, driver in await self._store(frames.suspects):
            by_driver[driver].append(kept)
        for driver, group in by_driver.items():
            await self._frames(driver, group)
        items: list[tuple[int, Record]] = []
        for item in await self._store(rendering.suspects):
            try:
                items.append((item.row, await record(item)))
            except (Known, RenderError):  # it will be met again, and said so, in its turn
                self.readings.add(item.row)
        if items:
            await self._readings(items, with_gate)

    async def _frames(self, driver: str, group: Sequence[Kept]) -> None:
        """Together first: most of them are innocent, and one trial is enough to know it."""
        innocent = driver not in self._drivers or await self._survives(
            trial.decode, driver, [kept.frame for kept in group]
        )
        if innocent:
            self.frames.update(kept.id for kept in group)
        elif len(group) > 1:
            for kept in group:
                await self._frames(driver, [kept])
        else:
            log.error("device %d: frame %d: parked: %s", group[0].device, group[0].id, REASON)
            await self._store(aside.park, group[0].id, REASON, self._ours.utc())
        self._store.stir()

    async def _readings(self, items: Sequence[tuple[int, Record]], with_gate: bool) -> None:
        if await self._survives(trial.bundle, [record for _, record in items], with_gate):
            self.readings.update(row for row, _ in items)
        elif len(items) > 1:
            for item in items:
                await self._readings([item], with_gate)
        else:
            log.error("reading %d: parked: %s", items[0][0], REASON)
            await self._store(rendering.park, items[0][0], REASON, self._ours.utc())
        self._store.stir()
