"""What meters say while no session reads it: to disk at once, under a session of its own.

A bonded meter may speak before the link is ready for a conversation, or hang up before it ever is.
If a conversation follows, its session takes over the one that was begun here: it is the same
connection, and the clocks that it compares hold for what came a moment before.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from drivers.api import Frame
from gateway.clock import OurClock
from gateway.model import Stamp
from gateway.outbox import frames, sessions
from gateway.outbox.database import Database
from gateway.outbox.devices import Known
from gateway.outbox.store import Store
from gateway.radio import Radio

log = logging.getLogger(__name__)

QUIET_S = 5.0  # after its last word; a conversation would have begun by then
LONGEST_S = 120.0  # and so long at most, as a conversation
OUTCOME = "heard without a conversation"

Arrival = tuple[Frame, Stamp]


@dataclass(slots=True)
class _Open:
    """A session that stands on disk."""

    row: int
    since: float
    last: float
    conversing: bool
    count: int = 0  # frames kept


class Strays:
    """One session of a meter at a time, whoever began it."""

    def __init__(
        self,
        store: Store,
        radio: Radio,
        ours: OurClock,
        device_at: Callable[[str], int | None],
        quiet_s: float = QUIET_S,
    ) -> None:
        self._store, self._radio, self._ours = store, radio, ours
        self._device_at = device_at
        self._quiet_s = quiet_s
        self._open: dict[int, _Open] = {}
        self._turn = asyncio.Lock()
        self._arrived: defaultdict[int, list[Arrival]] = defaultdict(list)  # and not yet on its way

    async def run(self) -> None:
        """For ever. What is heard when this ends is queued for the disk as well."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._end_quiet(), name="quiet strays")
                while True:
                    first = await self._radio.orphan()
                    self._take([first, *self._radio.orphans_left()])
                    await self._keep()
        finally:
            self._take(self._radio.orphans_left())
            if self._arrived:
                self._store.post(_keep, self._known(), self._arrived, self._ours.utc())

    async def begin(self, device: int) -> int:
        """The session of a connection that stands now. Raises Known."""
        async with self._turn:
            opened = self._open.get(device)
            if opened is None:
                row = await self._store(sessions.begin, device, self._ours.utc())
                now = time.monotonic()
                opened = self._open[device] = _Open(row, now, now, conversing=True)
            opened.conversing = True
            return opened.row

    def counted(self, device: int, count: int) -> None:
        """So many frames the conversation itself has kept."""
        self._open[device].count += count

    async def end(self, device: int, outcome: str) -> int | None:
        """Its connection has ended; returns how many frames were kept. None: it never stood."""
        async with self._turn:
            opened = self._open.get(device)
            if opened is None or not opened.conversing:
                return None
            del self._open[device]
            await self._store(sessions.end, opened.row, outcome, self._ours.utc())
            return opened.count

    def _take(self, heard: list[tuple[str, Frame]]) -> None:
        for address, frame in heard:
            device = self._device_at(address)
            if device is None:
                log.warning("a meter that was forgotten still speaks")
            else:
                self._arrived[device].append((frame, self._ours.now()))

    async def _keep(self) -> None:
        async with self._turn:  # cancelled in here, nothing has been taken
            arrived, self._arrived = self._arrived, defaultdict(list)
            rows = await self._store(_keep, self._known(), arrived, self._ours.utc())
            now = time.monotonic()
            for device, row in rows.items():
                opened = self._open.setdefault(device, _Open(row, now, now, conversing=False))
                opened.last = now
                opened.count += len(arrived[device])

    def _known(self) -> dict[int, int]:
        return {device: opened.row for device, opened in self._open.items()}

    async def _end_quiet(self) -> None:
        while True:
            await asyncio.sleep(self._quiet_s / 2)
            now = time.monotonic()
            for device, opened in tuple(self._open.items()):
                quiet = now - opened.last >= self._quiet_s or now - opened.since >= LONGEST_S
                if quiet and not opened.conversing:
                    await self._end_alone(device, opened)

    async def _end_alone(self, device: int, opened: _Open) -> None:
        async with self._turn:
            if opened.conversing or self._open.get(device) is not opened:  # meanwhile
                return
            del self._open[device]
            await self._store(sessions.end, opened.row, OUTCOME, self._ours.utc())
        log.info("device %d: %s", device, OUTCOME)


def _keep(
    db: Database,
    known: Mapping[int, int],
    arrived: Mapping[int, list[Arrival]],
    now: datetime,
) -> dict[int, int]:
    """Commit frames of several meters; returns the session of each. One step, never parted."""
    rows: dict[int, int] = {}
    for device, each in arrived.items():
        try:
            row = known[device] if device in known else sessions.begin(db, device, now)
        except Known as error:
            log.warning("device %d: %s; what it said is dropped with it", device, error)
            continue
        frames.keep(db, device, row, each)
        rows[device] = row
    return rows
