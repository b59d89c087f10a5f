"""Record Access Control Point (0x2A52) of a meter that numbers its records.

Report, count and abort; by all, first, last, "from a number on". It never deletes. Its manners are
those of the profile, unless somebody spoils them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue

from simulator.meters.meter import Measured
from simulator.meters.peripheral import Peripheral, Properties

RACP = 0x2A52
BY_NUMBER = 1  # the only filter it knows
BREATH_S = 0.002  # between the records of one that never ends: others are to be heard as well


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


@dataclass(slots=True)
class Manners:
    """How a meter tells its records. May be changed between two conversations."""

    newest_first: bool = False
    refuses: set[Operator] = field(default_factory=set)
    preface: list[bytes] = field(default_factory=list)  # indicated before every answer's records
    answers_first: bool = False  # "success" before the records that it speaks of
    breaks_off_after: int | None = None  # records of each report: then "not completed"
    silent_after: int | None = None  # records of each report: then not a word
    hangs_up_after: int | None = None  # records: once
    never_ends: bool = False  # begins again from its first record, until it is told to stop


@dataclass(slots=True)
class _Telling:
    """One report on its way."""

    told: list[Measured] = field(default_factory=list)
    lost: bool = False


Tell = Callable[[Measured], Awaitable[bool]]  # False: the link was lost


class RecordAccess:
    """Answers requests over *records*, oldest first, each sent by *tell*."""

    def __init__(
        self, peripheral: Peripheral, records: list[Measured], tell: Tell, manners: Manners
    ) -> None:
        self.requests: list[bytes] = []  # every one that came, for whoever wants to know
        self._peripheral, self._records, self._tell = peripheral, records, tell
        self._manners = manners
        self._asked: list[bytes] = []
        self.characteristic: Characteristic[bytes] = peripheral.characteristic(
            RACP, Properties.WRITE | Properties.INDICATE, CharacteristicValue(write=self._ask)
        )

    def _ask(self, _connection: Connection, octets: bytes) -> None:
        self.requests.append(bytes(octets))
        self._asked.append(bytes(octets))

    async def serve(self) -> list[Measured]:
        """Answer what was asked; the records whose telling was confirmed by that."""
        confirmed: list[Measured] = []
        while self._asked and self._peripheral.subscribed(self.characteristic):
            request = self._asked.pop(0)
            confirmed += await self._perform(request)
        self._asked.clear()  # a request does not outlive its link
        return confirmed

    async def _perform(self, request: bytes) -> list[Measured]:
        op, operator = request[0], request[1] if len(request) > 1 else 0
        if op == Op.ABORT:
            await self._respond(op, Outcome.SUCCESS)
        elif op not in (Op.REPORT, Op.COUNT):
            await self._respond(op, Outcome.NO_OP_CODE)
        else:
            chosen = self._choose(operator, request[2:])
            if isinstance(chosen, Outcome):
                await self._respond(op, chosen)
            elif op == Op.COUNT:
                await self._indicate(bytes([Op.NUMBER, 0]) + len(chosen).to_bytes(2, "little"))
            else:
                return await self._report(chosen)
        return []

    async def _report(self, chosen: Sequence[Measured]) -> list[Measured]:
        for octets in self._manners.preface:
            await self._indicate(octets)
        outcome = Outcome.SUCCESS if chosen else Outcome.NO_RECORDS
        if self._manners.answers_first and await self._respond(Op.REPORT, outcome):
            return (await self._tell_all(chosen)).told
        telling = await self._tell_all(chosen)
        whole = len(telling.told) == len(chosen)
        if telling.lost or (not whole and self._manners.silent_after is not None):
            return []
        outcome = outcome if whole else Outcome.NOT_COMPLETED
        return telling.told if await self._respond(Op.REPORT, outcome) else []

    async def _tell_all(self, chosen: Sequence[Measured]) -> _Telling:
        telling = _Telling()
        for each in chosen:
            if self._aborted() or self._stops(len(telling.told)):
                return telling
            if len(telling.told) == self._manners.hangs_up_after:
                self._manners.hangs_up_after = None
                await self._peripheral.hang_up()
            if not await self._tell(each):
                telling.lost = True
                return telling
            telling.told.append(each)
        while self._manners.never_ends and chosen and not self._aborted() and not telling.lost:
            for each in chosen:
                await asyncio.sleep(BREATH_S)
                telling.lost = telling.lost or not await self._tell(each)
        return telling

    def _stops(self, told: int) -> bool:
        return told in (self._manners.breaks_off_after, self._manners.silent_after)

    def _choose(self, operator: int, operand: bytes) -> Sequence[Measured] | Outcome:
        """The records meant, or why there are none."""
        records = self._records[::-1] if self._manners.newest_first else self._records[:]
        if operator in self._manners.refuses:
            return Outcome.NO_OPERATOR
        match operator:
            case Operator.ALL:
                return records
            case Operator.FROM if operand[:1] == bytes([BY_NUMBER]) and len(operand) == 3:
                least = int.from_bytes(operand[1:], "little")
                return [each for each in records if number_of(each) >= least]
            case Operator.FROM:
                return Outcome.BAD_OPERAND
            case Operator.FIRST:
                return self._records[:1]
            case Operator.LAST:
                return self._records[-1:]
            case Operator.UP_TO | Operator.RANGE:
                return Outcome.NO_OPERATOR
        return Outcome.BAD_OPERATOR

    def _aborted(self) -> bool:
        return any(request[0] == Op.ABORT for request in self._asked)

    async def _respond(self, op: int, outcome: Outcome) -> bool:
        return await self._indicate(bytes([Op.RESPONSE, 0, op, outcome]))

    async def _indicate(self, octets: bytes) -> bool:
        return await self._peripheral.indicate(self.characteristic, octets)


def number_of(record: Measured) -> int:
    """The number that its frames bear."""
    return int.from_bytes(record.frames[0].octets[1:3], "little")
