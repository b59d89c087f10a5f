"""A glucose meter: numbered records with contexts (0x2A18, 0x2A34), told on request (0x2A52).

Record Access Control Point: report, count and abort; by all, first, last, "from a number on".
It never deletes, and numbers its records for ever.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from bumble.device import Connection
from bumble.gatt import CharacteristicValue

from drivers.api import Frame, Kind, Value, sig_uuid
from simulator.air import Air
from simulator.meters.meter import Habits, Identity, Measured
from simulator.meters.octets import date_time, sfloat
from simulator.meters.peripheral import Peripheral, Properties

SERVICE = 0x1808
MEASUREMENT, CONTEXT, FEATURE, RACP = 0x2A18, 0x2A34, 0x2A51, 0x2A52

FLAGS = 0x17  # time offset, concentration in mol/L, context follows; no status
CAPILLARY_FINGER = b"\x11"
NO_OFFSET = b"\x00\x00"
CONTEXT_FLAGS = 0x06  # meal, tester and health
MEALS = ("preprandial", "postprandial", "fasting", "casual", "bedtime")
SELF_AND_WELL = b"\x51"

BY_NUMBER = 1  # the only filter it knows


class Op(IntEnum):
    REPORT = 1
    ABORT = 3
    COUNT = 4
    NUMBER = 5
    RESPONSE = 6


class Operator(IntEnum):
    ALL = 1
    UP_TO = 2
    FROM = 3
    RANGE = 4
    FIRST = 5
    LAST = 6


class Outcome(IntEnum):
    SUCCESS = 1
    NO_OP_CODE = 2
    BAD_OPERATOR = 3
    NO_OPERATOR = 4
    BAD_OPERAND = 5
    NO_RECORDS = 6
    NOT_COMPLETED = 8


EVERY = timedelta(hours=5)  # between the records that it holds when it is new to us


class GlucoseMeter:
    """A Meter (see `simulator.meters.meter`) with *records* taken before today's."""

    def __init__(
        self, air: Air, identity: Identity, habits: Habits | None = None, records: int = 20
    ) -> None:
        self.kind, self.driver, self.identity = "glucose", "sig_glucose", identity
        self.measured: list[Measured] = []
        self.collected: list[Measured] = []
        self.requests: list[bytes] = []  # every one that came, for whoever wants to know
        self.peripheral = Peripheral(air, identity, SERVICE, habits or Habits())
        self._asked: list[bytes] = []
        notified = Properties.NOTIFY
        self._measurement = self.peripheral.characteristic(MEASUREMENT, notified)
        self._context = self.peripheral.characteristic(CONTEXT, notified)
        feature = self.peripheral.characteristic(FEATURE, Properties.READ, b"\x00\x00")
        self._racp = self.peripheral.characteristic(
            RACP, Properties.WRITE | Properties.INDICATE, CharacteristicValue(write=self._ask)
        )
        self.peripheral.offer(SERVICE, [self._measurement, self._context, feature, self._racp])
        first = datetime.now(UTC) - EVERY * records
        for n in range(records):
            self._record(first + EVERY * n)

    def measure(self, at: datetime | None = None) -> Measured:
        measured = self._record(at or datetime.now(UTC))
        self.peripheral.wake()
        return measured

    def wake(self) -> None:
        self.peripheral.wake(called=True)

    async def live(self) -> None:
        await self.peripheral.live(self._answer, self._waiting)

    def _waiting(self) -> bool:
        return len(self.collected) < len(self.measured)

    def _record(self, at: datetime) -> Measured:
        number = len(self.measured) + 1
        shown = self.peripheral.clock.showed(at, datetime.now(UTC))
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
        return measured

    def _ask(self, _connection: Connection, octets: bytes) -> None:
        self.requests.append(bytes(octets))
        self._asked.append(bytes(octets))

    async def _answer(self) -> None:
        while self._asked and self.peripheral.subscribed(self._racp):
            request = self._asked.pop(0)
            answer, given = await self._perform(request)
            if await self.peripheral.indicate(self._racp, answer):
                self.collected += [each for each in given if each not in self.collected]

    async def _perform(self, request: bytes) -> tuple[bytes, list[Measured]]:
        """Carry out one request; the answer to indicate, and what was told before it."""
        op, operator = request[0], request[1] if len(request) > 1 else 0
        if op == Op.ABORT:
            return _response(op, Outcome.SUCCESS), []
        if op not in (Op.REPORT, Op.COUNT):
            return _response(op, Outcome.NO_OP_CODE), []
        chosen = self._choose(operator, request[2:])
        if isinstance(chosen, Outcome):
            return _response(op, chosen), []
        if op == Op.COUNT:
            return bytes([Op.NUMBER, 0]) + len(chosen).to_bytes(2, "little"), []
        for told, each in enumerate(chosen):
            if self._aborted() or not await self._tell(each):
                return _response(op, Outcome.NOT_COMPLETED), chosen[:told]
        return _response(op, Outcome.SUCCESS if chosen else Outcome.NO_RECORDS), chosen

    def _choose(self, operator: int, operand: bytes) -> list[Measured] | Outcome:
        """The records meant, or why there are none."""
        match operator:
            case Operator.ALL:
                return list(self.measured)
            case Operator.FROM if operand[:1] == bytes([BY_NUMBER]) and len(operand) == 3:
                return self.measured[max(0, int.from_bytes(operand[1:], "little") - 1) :]
            case Operator.FROM:
                return Outcome.BAD_OPERAND
            case Operator.FIRST:
                return self.measured[:1]
            case Operator.LAST:
                return self.measured[-1:]
            case Operator.UP_TO | Operator.RANGE:
                return Outcome.NO_OPERATOR
        return Outcome.BAD_OPERATOR

    def _aborted(self) -> bool:
        return any(request[0] == Op.ABORT for request in self._asked)

    async def _tell(self, record: Measured) -> bool:
        measurement, context = record.frames
        return await self.peripheral.notify(
            self._measurement, measurement.octets
        ) and await self.peripheral.notify(self._context, context.octets)


def _response(op: int, outcome: Outcome) -> bytes:
    return bytes([Op.RESPONSE, 0, op, outcome])


def _measurement(number: int, shown: datetime, value: Value) -> bytes:
    concentration = sfloat((value.number or Decimal(0)).scaleb(-3))  # mol/L
    head = bytes([FLAGS]) + number.to_bytes(2, "little") + date_time(shown)
    return head + NO_OFFSET + concentration + CAPILLARY_FINGER


def _context(number: int, meal: int) -> bytes:
    return bytes([CONTEXT_FLAGS]) + number.to_bytes(2, "little") + bytes([meal + 1]) + SELF_AND_WELL
