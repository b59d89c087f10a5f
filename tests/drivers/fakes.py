"""Scripted meters: small programs that a conversation can talk to."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from drivers.api import Frame, LinkError
from drivers.codec import date_time_octets
from drivers.common import CURRENT_TIME, clock_octets, clock_time
from drivers.sig_glucose_frames import CONTEXT, MEASUREMENT
from drivers.sig_racp import RACP

NOW = datetime.fromisoformat("2026-11-22T08:30:00")

Answer = Callable[["FakeSession", bytes], None]


class FakeSession:
    """A link to a meter that sends *pushes*, then does what *answers* say to each write.

    `log` is what was asked of the meter, in order. Our clock shows NOW and moves by *slowness*
    with every read.
    """

    def __init__(
        self,
        values: dict[UUID, bytes] | None = None,
        pushes: Iterable[Frame] = (),
        *,
        cursor: int | None = None,
        mark: bytes | None = None,
        clock_trusted: bool = True,
        hangs_up: bool = False,
        slowness: timedelta = timedelta(),
    ) -> None:
        self.values = values or {}
        self.offers = set(self.values)
        self.answers: dict[UUID, Answer] = {}
        self.queue = deque(pushes)
        self.log: list[str] = []
        self.recorded: list[tuple[str, object]] = []
        self._cursor, self._mark = cursor, mark
        self._trusted = clock_trusted
        self._connected = True
        self._hangs_up = hangs_up
        self._slowness = slowness
        self._now = NOW

    @property
    def cursor(self) -> int | None:
        return self._cursor

    @property
    def mark(self) -> bytes | None:
        return self._mark

    @property
    def clock_trusted(self) -> bool:
        return self._trusted

    @property
    def connected(self) -> bool:
        return self._connected

    def hang_up(self) -> None:
        self._connected = False

    def has(self, characteristic: UUID) -> bool:
        return characteristic in self.offers or characteristic in self.answers

    async def read(self, characteristic: UUID) -> bytes:
        self._note("read", characteristic)
        self._now += self._slowness
        if characteristic not in self.values:
            raise LinkError("read not permitted")
        return self.values[characteristic]

    async def write(self, characteristic: UUID, octets: bytes) -> None:
        self._note("write", characteristic, octets)
        if characteristic not in self.answers:
            raise LinkError("write not permitted")
        self.answers[characteristic](self, octets)

    async def subscribe(self, *characteristics: UUID) -> None:
        for characteristic in characteristics:
            self._note("subscribe", characteristic)

    async def frames(self, silence_s: float) -> AsyncIterator[Frame]:
        self.log.append(f"listen {silence_s:g}")
        while self.queue:
            yield self.queue.popleft()
        if self._hangs_up:
            self.hang_up()

    def local_time(self) -> datetime:
        return self._now

    async def clock_read(self, device_clock: datetime | None) -> None:
        self.recorded.append(("clock-read", device_clock))

    async def clock_set(self, device_clock: datetime) -> None:
        self.recorded.append(("clock-set", device_clock))

    async def battery(self, percent: int) -> None:
        self.recorded.append(("battery", percent))

    async def advance(self, sequence: int | None, mark: bytes | None) -> None:
        self._cursor, self._mark = sequence, mark
        self.recorded.append(("advance", sequence))

    def _note(self, verb: str, characteristic: UUID, octets: bytes = b"") -> None:
        if not self._connected:
            raise LinkError("not connected")
        short = f"{characteristic.int >> 96:04X}"
        self.log.append(f"{verb} {short} {octets.hex()}".rstrip())


def with_clock(session: FakeSession, shows: datetime, characteristic: UUID = CURRENT_TIME) -> None:
    """Give the meter a clock that shows *shows* and can be set."""
    session.values[characteristic] = clock_octets(characteristic, shows)
    session.offers.add(characteristic)

    def set_to(at: FakeSession, octets: bytes) -> None:
        assert clock_time(octets) is not None
        at.values[characteristic] = octets

    session.answers[characteristic] = set_to


class GlucoseMemory:
    """A glucose meter's stored records behind a record access control point."""

    def __init__(
        self,
        sequences: Iterable[int | tuple[int, datetime]],
        operators: Iterable[int] = (1, 3),
    ) -> None:
        self.frames = {
            n: [glucose_frame(n, base or NOW), context_frame(n)] for n, base in _dated(sequences)
        }
        self.operators = set(operators)
        self.stops_after: int | None = None  # frames: then silence
        self.hangs_up_after: int | None = None
        self.ends_with = 1  # the response code of a procedure that found records

    def attach(self, session: FakeSession, *, context: bool = True) -> None:
        session.offers |= {MEASUREMENT, RACP, *([CONTEXT] if context else [])}
        session.answers[RACP] = self.answer

    def answer(self, session: FakeSession, request: bytes) -> None:
        op_code, operator = request[:2]
        assert op_code in (1, 3), "nothing but a report or its end may ever be asked for"
        if op_code == 3:
            session.queue.clear()
            session.queue.append(Frame(RACP, bytes((6, 0, 3, 1))))
            return
        if operator not in self.operators:
            self._respond(session, 4)
            return
        chosen = self._choose(operator, request)
        if not chosen:
            self._respond(session, 6)
            return
        frames = [frame for n in chosen for frame in self.frames[n]]
        cut = self.stops_after if self.hangs_up_after is None else self.hangs_up_after
        session.queue.extend(frames[:cut])
        if self.hangs_up_after is not None:
            session.hang_up()
        elif cut is None:
            self._respond(session, self.ends_with)

    def _choose(self, operator: int, request: bytes) -> list[int]:
        known = list(self.frames)
        match operator:
            case 1:
                return known
            case 3:
                least = int.from_bytes(request[3:5], "little")
                return [n for n in known if n >= least]
            case _:
                raise AssertionError(f"nobody asks by operator {operator}")

    def _respond(self, session: FakeSession, code: int) -> None:
        session.queue.append(Frame(RACP, bytes((6, 0, 1, code))))


def _dated(
    sequences: Iterable[int | tuple[int, datetime]],
) -> Iterable[tuple[int, datetime | None]]:
    return ((each, None) if isinstance(each, int) else each for each in sequences)


def glucose_frame(sequence: int, base: datetime = NOW, rest: bytes = b"\x7a\xb0\x11") -> Frame:
    """122 mg/dL from a finger, unless *rest* says something else."""
    octets = b"\x02" + sequence.to_bytes(2, "little") + date_time_octets(base) + rest
    return Frame(MEASUREMENT, octets)


def context_frame(sequence: int, meal: int = 3) -> Frame:
    return Frame(CONTEXT, b"\x02" + sequence.to_bytes(2, "little") + bytes((meal,)))
