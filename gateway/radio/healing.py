"""A ladder of cures for a radio that is ill. It climbs on evidence alone, never on silence."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, IntEnum
from typing import Protocol

from drivers.api import LinkError
from gateway.link import Counters

log = logging.getLogger(__name__)


class Rung(IntEnum):
    """From the cheapest cure to the dearest."""

    RESCAN = 0
    REBUILD = 1
    POWER_CYCLE = 2
    RESTART = 3

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Rung.RESCAN: "scan started anew",
    Rung.REBUILD: "clients rebuilt",
    Rung.POWER_CYCLE: "adapter power-cycled",
    Rung.RESTART: "bluetoothd restart asked for",
}

# How long a cure is given to show what it does, and how long it is not tried again.
SETTLE_S = {Rung.RESCAN: 5.0, Rung.REBUILD: 10.0, Rung.POWER_CYCLE: 20.0, Rung.RESTART: 30.0}
REST_S = {Rung.RESCAN: 0.0, Rung.REBUILD: 60.0, Rung.POWER_CYCLE: 300.0, Rung.RESTART: 900.0}


class Part(Enum):
    """What may be ill by itself: advertisements are heard from an adapter that connects nobody."""

    HEARING = "hearing"
    CONNECTING = "connecting"


class Ladder:
    """Which cure is next. Pure: the time is given."""

    def __init__(
        self, settle_s: Mapping[Rung, float] = SETTLE_S, rest_s: Mapping[Rung, float] = REST_S
    ) -> None:
        self._settle_s, self._rest_s = settle_s, rest_s
        self._next = self._last = Rung.RESCAN
        self._quiet_until = 0.0
        self._resting: dict[Rung, float] = {}

    def climb(self, now: float, at_least: Rung, at_most: Rung) -> Rung | None:
        """The cure for one more piece of evidence; None while the last one is given its time.

        What only a dearer cure than that can help does not wait. A cure that rests is replaced by
        the next cheaper one.
        """
        if now < self._quiet_until and at_least <= self._last:
            return None
        rung = min(max(self._next, at_least), at_most)
        while rung > Rung.RESCAN and now < self._resting.get(rung, now):
            rung = Rung(rung - 1)
        self._last = rung
        self._next = Rung(min(rung + 1, Rung.RESTART))
        self._quiet_until = now + self._settle_s[rung]
        self._resting[rung] = now + self._rest_s[rung]
        return rung

    def well(self) -> None:
        """The next illness begins at the bottom."""
        self._next = Rung.RESCAN


class Patient(Protocol):
    """What is to be healed."""

    @property
    def links(self) -> int:
        """Links that stand: proof of health, and nothing that they would survive is done."""

    @property
    def highest(self) -> Rung:
        """The dearest cure that there is here."""

    def ailment(self) -> tuple[str, Rung] | None:
        """What can be seen to be wrong, and the cheapest cure that could help."""

    async def cure(self, rung: Rung) -> None:
        """Raises LinkError."""


class Healer:
    """Takes evidence from anybody, looks for some itself, and does one cure at a time."""

    def __init__(
        self,
        patient: Patient,
        counters: Counters,
        look_s: float,
        ladder: Callable[[], Ladder] = Ladder,
    ) -> None:
        self._patient, self._counters = patient, counters
        self._look_s = look_s
        self._ladders = {part: ladder() for part in Part}
        self._evidence: dict[Part, str] = {}
        self._stirred = asyncio.Event()

    def ill(self, part: Part, evidence: str) -> None:
        """Something failed that should not. Answered soon, in order."""
        self._evidence[part] = evidence
        self._stirred.set()

    def well(self, part: Part) -> None:
        """It does what it is for."""
        self._ladders[part].well()

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._stirred.wait()
            self._stirred.clear()
            told, self._evidence = self._evidence, {}
            if seen := self._patient.ailment():
                await self._treat(Part.HEARING, *seen)
            else:
                for part, evidence in told.items():
                    await self._treat(part, evidence, Rung.RESCAN)

    async def _treat(self, part: Part, evidence: str, at_least: Rung) -> None:
        at_most = self._patient.highest
        if self._patient.links and at_least is Rung.RESCAN:
            at_most = Rung.RESCAN
        rung = self._ladders[part].climb(time.monotonic(), at_least, at_most)
        if rung is None:
            return
        name = rung.words
        self._counters.cures[name] = self._counters.cures.get(name, 0) + 1
        log.warning("radio: %s, because %s", name, evidence)
        try:
            await self._patient.cure(rung)
        except LinkError as error:
            log.warning("radio: %s, without success: %s", name, error)
