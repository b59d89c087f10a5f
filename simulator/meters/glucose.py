"""A glucose meter: numbered records with contexts (0x2A18, 0x2A34), told on request."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from drivers.api import Frame, Kind, Value, sig_uuid
from simulator.air import Air
from simulator.meters.meter import Habits, Identity, Measured
from simulator.meters.octets import date_time, sfloat
from simulator.meters.peripheral import Peripheral, Properties
from simulator.meters.record_access import Manners, RecordAccess, number_of

SERVICE = 0x1808
MEASUREMENT, CONTEXT, FEATURE = 0x2A18, 0x2A34, 0x2A51

FLAGS = 0x17  # time offset, concentration in mol/L, context follows; no status
CAPILLARY_FINGER = b"\x11"
NO_OFFSET = b"\x00\x00"
CONTEXT_FLAGS = 0x06  # meal, tester and health
MEALS = ("preprandial", "postprandial", "fasting", "casual", "bedtime")
SELF_AND_WELL = b"\x51"
NUMBERS = 0x10000  # then they start again from 0

EVERY = timedelta(hours=5)  # between the records that it holds when it is new to us


class GlucoseMeter:
    """A Meter (see `simulator.meters.meter`) with *records* taken before today's.

    `measured` is everything it ever measured; its memory may be reset in between.
    """

    def __init__(
        self,
        air: Air,
        identity: Identity,
        habits: Habits | None = None,
        records: int = 20,
        first_number: int = 1,
    ) -> None:
        self.kind, self.driver, self.identity = "glucose", "sig_glucose", identity
        self.measured: list[Measured] = []
        self.collected: list[Measured] = []
        self.manners = Manners()
        self.peripheral = Peripheral(air, identity, SERVICE, habits or Habits())
        self._memory: list[Measured] = []
        self._given: set[bytes] = set()  # measurements whose telling was confirmed
        self._next = first_number
        notified = Properties.NOTIFY
        self._measurement = self.peripheral.characteristic(MEASUREMENT, notified)
        self._context = self.peripheral.characteristic(CONTEXT, notified)
        feature = self.peripheral.characteristic(FEATURE, Properties.READ, b"\x00\x00")
        self._access = RecordAccess(self.peripheral, self._memory, self._tell, self.manners)
        self.peripheral.offer(
            SERVICE, [self._measurement, self._context, feature, self._access.characteristic]
        )
        first = datetime.now(UTC) - EVERY * records
        for n in range(records):
            self._record(first + EVERY * n)

    @property
    def requests(self) -> list[bytes]:
        """Everything that was ever asked of its control point."""
        return self._access.requests

    def measure(self, at: datetime | None = None) -> Measured:
        measured = self._record(at or datetime.now(UTC))
        self.peripheral.wake()
        return measured

    def wake(self) -> None:
        self.peripheral.wake(called=True)

    def reset(self, first_number: int = 1) -> None:
        """Forget every record and count anew."""
        self._memory.clear()
        self._next = first_number

    def annotate(self, record: Measured, meal: int | None) -> Measured:
        """Give a record in memory the context of that meal (index of MEALS), or none."""
        at = next(n for n, each in enumerate(self._memory) if each is record)
        frames = record.frames[:1]
        if meal is not None:
            frames += (Frame(sig_uuid(CONTEXT), _context(number_of(record), meal)),)
        codes = {} if meal is None else {"meal": MEALS[meal], "tester": "self"}
        annotated = replace(record, frames=frames, codes=codes)
        self._memory[at] = annotated
        self.measured[next(n for n, each in enumerate(self.measured) if each is record)] = annotated
        return annotated

    async def live(self) -> None:
        await self.peripheral.live(self._serve, self._waiting)

    async def _serve(self) -> None:
        for each in await self._access.serve():
            if each.frames[0].octets not in self._given:
                self._given.add(each.frames[0].octets)
                self.collected.append(each)

    def _waiting(self) -> bool:
        return any(each.frames[0].octets not in self._given for each in self._memory)

    def _record(self, at: datetime) -> Measured:
        number = self._next
        self._next = (number + 1) % NUMBERS
        shown = self.peripheral.clock.shows(at)
        value = Value(Kind.GLUCOSE, Decimal(48 + 7 * number % 61).scaleb(-1), "mmol/L")
        meal = number % len(MEALS)
        context: Mapping[str, str] = {"meal": MEALS[meal], "tester": "self"}
        measured = Measured(
            self.identity.name,
            self.identity.address,
            at,
            shown,
            (value,),
            (
                Frame(sig_uuid(MEASUREMENT), _measurement(number, shown, value)),
                Frame(sig_uuid(CONTEXT), _context(number, meal)),
            ),
            context,
        )
        self.measured.append(measured)
        self._memory.append(measured)
        return measured

    async def _tell(self, record: Measured) -> bool:
        for frame in record.frames:
            context = frame.characteristic == sig_uuid(CONTEXT)
            where = self._context if context else self._measurement
            if not await self.peripheral.notify(where, frame.octets):
                return False
        return True


def _measurement(number: int, shown: datetime, value: Value) -> bytes:
    concentration = sfloat((value.number or Decimal(0)).scaleb(-3))  # mol/L
    head = bytes([FLAGS]) + number.to_bytes(2, "little") + date_time(shown)
    return head + NO_OFFSET + concentration + CAPILLARY_FINGER


def _context(number: int, meal: int) -> bytes:
    return bytes([CONTEXT_FLAGS]) + number.to_bytes(2, "little") + bytes([meal + 1]) + SELF_AND_WELL
