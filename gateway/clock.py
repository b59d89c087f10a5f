"""Our own clock, and whether it may be believed."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model import Stamp

log = logging.getLogger(__name__)

SYNCHRONISED = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd's own flag
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STEP = timedelta(seconds=2)  # without a step, wall clock and boot time go on side by side
LOOK_S = 1.0  # whether a flag has appeared


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _since_boot() -> timedelta:
    return timedelta(microseconds=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)


class OurClock:
    """Our own clocks, read in one place.

    Trust: "ntp" believes systemd-timesyncd's flag and what it is told by `believe_network` and
    `believe_receipt`, "assume" believes without proof. Network time, once it was there, is believed
    until this process ends: a quartz that was set is good for days.
    """

    def __init__(
        self,
        trust: str,
        zone: str,
        wall: Callable[[], datetime] = _utc_now,
        boottime: Callable[[], timedelta] = _since_boot,
        boot_id: str | None = None,
    ) -> None:
        self._assume = trust == "assume"
        self._wall, self._boottime = wall, boottime
        self._boot_id = boot_id or BOOT_ID.read_text().strip()
        self._network = False
        self._confirmed: datetime | None = None  # the moment of boot, by the clock that was right
        self._booted: datetime | None = None  # the moment of boot, by the clock as it was last
        self.steps = 0  # of a clock that was believed
        self.zone = ZoneInfo(zone)

    @property
    def source(self) -> str:
        """Where our time comes from: "assumed", "ntp", "receipt" or "none"."""
        if self._assume:
            return "assumed"
        if self._network or SYNCHRONISED.exists():
            return "ntp"
        return "none" if self._confirmed is None or self._stepped(self._confirmed) else "receipt"

    @property
    def trusted(self) -> bool:
        return self.source != "none"

    def believe_network(self) -> None:
        """The system says that its clock is synchronised."""
        self._network = True

    def believe_receipt(self) -> None:
        """A receiver's clock agrees with ours. Holds until ours is stepped, or the process ends."""
        self._confirmed = self._wall() - self._boottime()

    async def plausible(self, since: datetime | None = None) -> None:
        """Wait until this clock is believed, or shows no less than *since*, which is over."""
        while True:
            if self.trusted or (since is not None and self._wall() >= since):
                return
            await asyncio.sleep(LOOK_S)

    def now(self) -> Stamp:
        trusted = self.trusted  # asked first: a clock that is set in between was right by then
        stamp = Stamp(self._wall(), self._boottime(), self._boot_id, trusted)
        if trusted:
            self._watch(stamp.wall - stamp.boottime)
        return stamp

    def utc(self) -> datetime:
        return self._wall()

    def local(self) -> datetime:
        """The home's wall clock, naive: what a meter's clock ought to show."""
        return self._wall().astimezone(self.zone).replace(tzinfo=None)

    def _stepped(self, booted: datetime) -> bool:
        return abs(self._wall() - self._boottime() - booted) > STEP

    def _watch(self, booted: datetime) -> None:
        """Somebody sets a clock that is believed: nothing to be done, but it is to be known."""
        if self._booted is not None and abs(booted - self._booted) > STEP:
            self.steps += 1
            log.warning("our clock was stepped by %s", booted - self._booted)
        self._booted = booted


def corrected(stamp: Stamp, now: Stamp) -> datetime | None:
    """When *stamp* was, by a clock we trust: as it stands, or counted back within one boot.

    None when neither will do: the moment cannot be known.
    """
    if stamp.trusted:
        return stamp.wall
    if now.trusted and now.boot_id == stamp.boot_id:
        return now.wall - (now.boottime - stamp.boottime)
    return None
