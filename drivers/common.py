"""What any meter may have beside its readings: a battery, a clock to read and to set.

Sources: Battery Service (0x180F), Current Time Service (0x1805), Bluetooth GATT Specification
Supplement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from drivers import codec
from drivers.api import DecodeError, LinkError, Session, sig_uuid

DATE_TIME = sig_uuid(0x2A08)
CURRENT_TIME = sig_uuid(0x2A2B)
BATTERY_LEVEL = sig_uuid(0x2A19)

SLOW_READ = timedelta(seconds=2)  # half the time of the read is the error of the pair
CLOSE_ENOUGH = timedelta(seconds=2)  # no reason to touch the clock: a set starts a new segment
MANUAL_UPDATE = 0x01  # Current Time, adjust reason bit 0
FRACTIONS = 256  # Current Time counts fractions of a second in 1/256


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """A clock that was read: what it showed, and how far *ahead* of ours; None if it knows none."""

    characteristic: UUID
    shown: datetime | None
    ahead: timedelta | None

    @property
    def right(self) -> bool:
        return self.ahead is not None and abs(self.ahead) <= CLOSE_ENOUGH


async def read_clock(session: Session) -> DeviceClock | None:
    """Read the meter's clock and record the pair; None if there is none that can be read.

    Never raises: a meter that hangs up in the middle has still sent what it sent, and whatever
    the conversation does next will notice.
    """
    characteristic = clock_of(session.has)
    if characteristic is None:
        return None
    clock = await _look(session, characteristic)
    if clock is not None:
        await session.clock_read(clock.shown)
    return clock


async def _look(session: Session, characteristic: UUID) -> DeviceClock | None:
    before = session.local_time()
    try:
        shown = clock_time(await session.read(characteristic))
    except (LinkError, DecodeError):
        return None
    now = session.local_time()
    if now - before > SLOW_READ:
        return None
    return DeviceClock(characteristic, shown, None if shown is None else shown - now)


async def set_clock(session: Session, clock: DeviceClock | None) -> None:
    """Set the meter's clock to ours, if ours is trusted and the meter's is off or unknown.

    To be called when the drain ended cleanly. What the clock says afterwards decides, where it can
    be read: "data field ignored" (ATT 0x80) looks like a refusal and is none, and there are meters
    that accept a time and do not take it.
    """
    if clock is None or not session.clock_trusted or clock.right:
        return
    wanted = session.local_time().replace(microsecond=0)
    refused = False
    try:
        await session.write(clock.characteristic, clock_octets(clock.characteristic, wanted))
    except LinkError:
        if not session.connected:
            raise
        refused = True
    after = await _look(session, clock.characteristic)
    if after is not None and after.right and after.shown is not None:
        await session.clock_set(after.shown)
    elif after is not None:
        await session.clock_read(after.shown)
    elif not refused:
        await session.clock_set(wanted)


def clock_time(octets: bytes) -> datetime | None:
    """Date Time or Current Time to the precision sent; None if the meter does not know it."""
    reader = codec.Reader(octets)
    at = reader.date_time().at
    rest = reader.rest()
    if at is None or len(rest) < 2:  # Date Time ends here; Current Time adds day and fraction
        return at
    return at + timedelta(microseconds=rest[1] * 1_000_000 // FRACTIONS)


def clock_octets(characteristic: UUID, at: datetime) -> bytes:
    """What to write to set a clock to *at*, a whole second."""
    octets = codec.date_time_octets(at)
    if characteristic == DATE_TIME:
        return octets
    return octets + bytes((at.isoweekday(), 0, MANUAL_UPDATE))


async def battery(session: Session) -> None:
    """Record the battery level. The readings are safe by now: no trouble here may undo that."""
    if not session.has(BATTERY_LEVEL):
        return
    try:
        octets = await session.read(BATTERY_LEVEL)
    except LinkError:
        return
    if octets and octets[0] <= 100:  # above: reserved
        await session.battery(octets[0])


def clock_of(has: Callable[[UUID], bool]) -> UUID | None:
    """The characteristic by which a meter's clock is read; None: it *has* none."""
    return next((each for each in (CURRENT_TIME, DATE_TIME) if has(each)), None)
