"""A home in which time passes: the truth, our own clock, a meter's. Frames in, times out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from drivers.api import Frame
from drivers.registry import all_drivers
from gateway.clock import OurClock
from gateway.model import Stamp
from gateway.outbox import frames, sessions
from tests.outbox.house import NOON, House, Now, cuff

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CUFF = "sig_blood_pressure"


@dataclass
class Box(Now):
    """The clocks of a gateway: `at` is the truth, its wall clock is off by *error*."""

    error: timedelta = timedelta()
    booted: datetime = NOON - HOUR

    def __call__(self) -> datetime:
        return self.at + self.error

    def boottime(self) -> timedelta:
        return self.at - self.booted


@dataclass
class Meter:
    """A meter's clock: ahead of UTC by so much, or of the home's time, whose rules it follows."""

    ahead: timedelta = HOUR
    switching: bool = False
    stuck: datetime | None = None
    memory: list[Frame] = field(default_factory=list)

    def shows(self, at: datetime) -> datetime:
        if self.stuck is not None:
            return self.stuck
        zone = COPENHAGEN if self.switching else UTC
        return (at + self.ahead).astimezone(zone).replace(tzinfo=None)

    def measure(self, at: datetime, systolic: int = 121) -> Frame:
        """Kept in its memory, and returned."""
        frame = stamped(self.shows(at), systolic)
        self.memory.append(frame)
        return frame


class Home(House):
    """A house whose gateway has a clock of its own, and one cuff, the device `cuff`."""

    def __init__(
        self, state_dir: Path, at: datetime = NOON, *, switching: bool = False, trust: str = "ntp"
    ) -> None:
        self.box = Box(at, booted=at - HOUR)
        self._boots = 1
        self._trust = trust
        drivers = dict(all_drivers())
        drivers[CUFF] = replace(drivers[CUFF], self_switching=switching)
        super().__init__(state_dir, now=self.box, ours=self._clock(), drivers=drivers)
        self.cuff = 0
        self.flag = state_dir / "synchronized"  # timesyncd's, where it is patched in
        self.set_clocks = False  # as conversations do with a meter that lets its clock be set

    def _clock(self) -> OurClock:
        box = self.box
        return OurClock(self._trust, COPENHAGEN.key, box, box.boottime, f"boot {self._boots}")

    def synchronise(self) -> None:
        """Our clock steps to the truth, and then the flag appears."""
        self.box.error = timedelta()
        self.flag.touch()

    def reboot(self) -> None:
        """Our clock may be anything now, and nobody has synchronised it yet."""
        self.flag.unlink(missing_ok=True)
        self._boots += 1
        self.box.booted = self.box.at
        self.start(self._clock())

    def stamp(self, *, trusted: bool | None = None) -> Stamp:
        now = self.ours.now()
        return now if trusted is None else replace(now, trusted=trusted)

    async def furnish(self) -> None:
        since = self.box.at - timedelta(days=3650)
        self.cuff = await self.meter(since=since)

    async def visit(
        self, meter: Meter | None, octets: Sequence[Frame] | None = None, *, readable: bool = True
    ) -> None:
        """One connection: the frames (default: its memory, which is then empty), a second later its
        clock is read, and then set if it is wrong.
        """
        row = await self.store(sessions.begin, self.cuff, self.now())
        if octets is None and meter is not None:
            octets, meter.memory = list(meter.memory), []
        if octets:
            arrived = [(frame, self.stamp()) for frame in octets]
            await self.store(frames.keep, self.cuff, row, arrived)
        self.box.move(seconds=1)
        shown = meter.shows(self.box.at) if meter is not None and readable else None
        await self.store(sessions.clock_event, row, "read", shown, self.stamp())
        if meter is not None and self.set_clocks and self.ours.trusted:
            await self._set(meter, row)
        await self.store(sessions.end, row, "complete", self.now())

    async def _set(self, meter: Meter, row: int) -> None:
        local = self.ours.local()
        if abs(meter.shows(self.box.at) - local) > 2 * SECOND:
            meter.ahead += local - meter.shows(self.box.at)  # no switch lies in between
            await self.store(sessions.clock_event, row, "set", local, self.stamp())

    async def times(self) -> list[datetime | None]:
        """When each reading was taken, as it would be published, in the order of filing."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        rows = await self.rows("SELECT effective_at FROM readings ORDER BY id")
        return [
            None if at is None else epoch + timedelta(microseconds=int(str(at))) for (at,) in rows
        ]

    async def told(self) -> list[datetime | None]:
        """The times in the Bundles that are due."""
        return [each.taken_at for each in await self.due()]


def stamped(local: datetime, systolic: int = 121) -> Frame:
    """A measurement of the cuff with this stamp."""
    return cuff(systolic, local.replace(tzinfo=UTC) - HOUR)


def near(found: Sequence[datetime | None], wanted: Sequence[datetime | None]) -> bool:
    """Whether each is the other to the second: stamps have whole seconds."""
    return len(found) == len(wanted) and all(
        (one is None and other is None) or (one and other and abs(one - other) <= SECOND)
        for one, other in zip(found, wanted, strict=True)
    )
