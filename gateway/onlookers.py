"""Those who look on at what the radio hears: a technician who scans. Nothing is kept."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from drivers.api import Advertisement, Driver

WAITING = 256  # advertisements that an onlooker has not looked at yet; then the oldest goes


@dataclass(frozen=True, slots=True, eq=False)
class Onlooker:
    """`everybody`: strangers too, not only what a driver fits."""

    everybody: bool
    heard: asyncio.Queue[Advertisement] = field(default_factory=lambda: asyncio.Queue(WAITING))


class Onlookers:
    """While there are none, strangers cost nothing."""

    def __init__(self, drivers: Mapping[str, Driver]) -> None:
        self._drivers = drivers
        self._services = frozenset(str(driver.service) for driver in drivers.values())
        self._present: set[Onlooker] = set()

    @contextmanager
    def one(self, everybody: bool) -> Iterator[Onlooker]:
        onlooker = Onlooker(everybody)
        self._present.add(onlooker)
        try:
            yield onlooker
        finally:
            self._present.discard(onlooker)

    def want(self, services: Sequence[str]) -> bool:
        """Whether anybody wants to know of a device that advertises these."""
        return bool(self._present) and (
            any(each.everybody for each in self._present) or not self._services.isdisjoint(services)
        )

    def tell(self, heard: Advertisement) -> None:
        fits = bool(self.fitting(heard)) if self._present else False
        for onlooker in self._present:
            if onlooker.everybody or fits:
                if onlooker.heard.full():
                    onlooker.heard.get_nowait()
                onlooker.heard.put_nowait(heard)

    def fitting(self, heard: Advertisement) -> tuple[Driver, ...]:
        """The drivers that may read it."""
        return tuple(driver for driver in self._drivers.values() if driver.matches(heard))
