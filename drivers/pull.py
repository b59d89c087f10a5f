"""How a meter is read that numbers and keeps its records: ask for what is new, believe success.

The cursor is the number of the newest record that we hold, and with it goes its mark: which record
that was. Every session asks from the cursor on, that record included: it proves that the numbers
still mean what they meant. If it is not there, or is another, the meter was reset, or its memory
went round or is numbered anew each time, and everything is read; what we know already does no harm.

Only the meter's "success" moves the cursor. A meter that sends its newest record first, or counts
from the newest, gets none: it is read in full every time.

Source: Bluetooth GATT Specification Supplement, Record Access Control Point; Glucose Profile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from drivers import sig_racp
from drivers.api import DecodeError, Frame, LinkError, Session
from drivers.common import battery, read_clock, set_clock
from drivers.sig_racp import RACP

SILENCE_S = 30.0  # Glucose Profile: a procedure without a word for this long has failed
STRAGGLERS_S = 0.2  # records and answers may reach us by different ways, the answer first
ABORT_S = 1.0  # for a last word before we hang up; we may be asked to end ourselves
NUMBERS = 0x10000  # then they start again from 0


class Item(NamedTuple):
    """One record as it passes by."""

    sequence: int
    base: bytes  # its base time, most significant octet first

    @property
    def mark(self) -> bytes:
        """Which record this is, whatever is amended about it later."""
        return self.sequence.to_bytes(2, "big") + self.base


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a procedure ended, and the records that came with it."""

    code: int
    items: tuple[Item, ...]


Itemise = Callable[[Frame], Item | None]  # None: no record by itself


def fetch(
    itemise: Itemise, required: UUID, *optional: UUID, silence_s: float = SILENCE_S
) -> Callable[[Session], Awaitable[None]]:
    """The conversation: clock, subscriptions, records; then set the clock and ask for the battery.

    The control point is subscribed to last: the meter may answer from then on.
    """

    async def converse(session: Session) -> None:
        clock = await read_clock(session)
        await session.subscribe(required, *(each for each in optional if session.has(each)), RACP)
        items = await _records(session, itemise, silence_s)
        if items:
            await _advance(session, items)
        await set_clock(session, clock)
        await battery(session)

    return converse


async def _records(session: Session, itemise: Itemise, silence_s: float) -> Sequence[Item]:
    """What is new, or everything where that cannot be told from the cursor. Raises LinkError."""
    if session.cursor is not None:
        request = sig_racp.report_from(session.cursor)
        outcome = await _procedure(session, request, itemise, silence_s)
        if outcome.code == sig_racp.SUCCESS and _goes_on(session, outcome.items):
            return outcome.items
        _check(outcome, sig_racp.UNSUPPORTED)
    outcome = await _procedure(session, sig_racp.report_all(), itemise, silence_s)
    _check(outcome)
    return outcome.items if outcome.code == sig_racp.SUCCESS else ()


def _check(outcome: Outcome, harmless: frozenset[int] = frozenset()) -> None:
    if outcome.code not in {sig_racp.SUCCESS, sig_racp.NO_RECORDS} | harmless:
        raise LinkError(f"the meter did not give its records: response code {outcome.code}")


def _goes_on(session: Session, items: Sequence[Item]) -> bool:
    """Whether these are all that came since the cursor, by the same count.

    After the last number comes 0: records that "from the cursor on" does not name.
    """
    same = any(
        item.sequence == session.cursor and session.mark in (None, item.mark) for item in items
    )
    return same and all(item.sequence < NUMBERS - 1 for item in items)


async def _advance(session: Session, items: Sequence[Item]) -> None:
    """Move the cursor to the newest record; take it away from a meter that it does not suit."""
    newest = items[-1] if _oldest_first(items) else None
    sequence, mark = (newest.sequence, newest.mark) if newest else (None, None)
    if (sequence, mark) != (session.cursor, session.mark):
        await session.advance(sequence, mark)


def _oldest_first(items: Sequence[Item]) -> bool:
    """Whether numbers grow as records come, and do not count back from the newest."""
    pairs = [*pairwise(dict.fromkeys(items))]
    growing = all((b.sequence - a.sequence) % NUMBERS < NUMBERS // 2 for a, b in pairs)
    counted_back = bool(pairs) and all(b.base < a.base for a, b in pairs)
    return growing and not counted_back


async def _procedure(
    session: Session, request: bytes, itemise: Itemise, silence_s: float
) -> Outcome:
    """Send a request and hear it out. Raises LinkError if it is not answered.

    However it is left before the answer, the meter is told to stop.
    """
    await session.write(RACP, request)
    items: list[Item] = []
    code: int | None = None
    try:
        async for frame in session.frames(silence_s):
            items += _item(itemise, frame)
            code = _code(frame, request[0])
            if code is not None:
                break
    finally:
        if code is None and session.connected:
            await _abort(session)
    if code is None and session.connected:
        raise LinkError(f"the meter was silent for {silence_s:.0f} s and did not finish")
    if code is None:
        raise LinkError("the meter hung up before it had given all its records")
    async for frame in session.frames(STRAGGLERS_S):
        items += _item(itemise, frame)
    return Outcome(code, tuple(items))


def _item(itemise: Itemise, frame: Frame) -> Sequence[Item]:
    item = itemise(frame)
    return () if item is None else (item,)


def _code(frame: Frame, request: int) -> int | None:
    """The meter's answer to that op code, if this frame is one."""
    if frame.characteristic != RACP:
        return None
    try:
        answer = sig_racp.response(frame.octets)
    except DecodeError:
        return None  # nothing that ends a procedure
    return answer.code if answer is not None and answer.request == request else None


async def _abort(session: Session) -> None:
    """Ask the meter to stop, so that the next request finds it idle. It need not comply."""
    try:
        async with asyncio.timeout(ABORT_S):
            await session.write(RACP, sig_racp.abort())
            async for frame in session.frames(ABORT_S):
                if _code(frame, sig_racp.ABORT) is not None:
                    return
    except (LinkError, TimeoutError):
        return  # the link is given up in any case
