"""Glucose Profile (service 0x1808): numbered records, pulled through the record access point.

The frames are drawn in sig_glucose_frames, the requests in sig_racp. A record is a measurement
and, with the same sequence number, its context; its identity is sequence and base time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from drivers import sig_racp
from drivers.api import DecodeError, Driver, Frame, LinkError, Reading, Session, sig_uuid
from drivers.common import battery, read_clock, set_clock
from drivers.push import decoder
from drivers.sig_glucose_frames import (
    CONTEXT,
    CONTROL,
    MEASUREMENT,
    NAMED,
    OFFSET_UNKNOWN,
    STATUS,
    context,
    measurement,
)
from drivers.sig_racp import RACP

SERVICE = sig_uuid(0x1808)
SILENCE_S = 30.0  # Glucose Profile: a procedure without a word for this long has failed
LAST_SEQUENCE = 0xFFFF  # then it starts again from 0

DECODERS: Mapping[UUID, Callable[[bytes], Reading]] = {
    MEASUREMENT: measurement,
    CONTEXT: context,
    RACP: sig_racp.decode,
}


def decode(frames: Sequence[Frame]) -> Sequence[Reading]:
    """A measurement becomes a reading, with the codes of the contexts that belong to it.

    A context belongs to the record before it, or else to the first; later codes of one system
    replace earlier ones. Without any measurement contexts make one reading without values.
    """
    return [reading for _, reading in _readings(frames)]


def key(frames: Sequence[Frame], reading: Reading) -> bytes | None:
    """Characteristic, sequence and base time of the measurement that *reading* came from."""
    return next((found for found, known in _readings(frames) if known == reading), None)


def join(frame: Frame) -> bytes | None:
    """The sequence number's octets; None for what is no record or does not decode."""
    if frame.characteristic not in (MEASUREMENT, CONTEXT):
        return None
    try:
        DECODERS[frame.characteristic](frame.octets)
    except DecodeError:
        return None
    return frame.octets[1:3]


def group(frames: Sequence[Frame]) -> Sequence[Sequence[Frame]]:
    """Frames of one sequence number together, in order; every other frame alone."""
    groups: list[list[Frame]] = []
    by_sequence: dict[bytes, list[Frame]] = {}
    for frame in frames:
        sequence = join(frame)
        if sequence is not None and sequence in by_sequence:
            by_sequence[sequence].append(frame)
            continue
        groups.append([frame])
        if sequence is not None:
            by_sequence[sequence] = groups[-1]
    return groups


def _readings(frames: Sequence[Frame]) -> list[tuple[bytes | None, Reading]]:
    """Every reading with its key; a frame that came twice counts once."""
    decoded = [(frame, _decode(frame)) for frame in dict.fromkeys(frames)]
    records = [
        (at, MEASUREMENT.bytes + frame.octets[1:10], reading)
        for at, (frame, reading) in enumerate(decoded)
        if frame.characteristic == MEASUREMENT
    ]
    joined: dict[bytes, list[Reading]] = {found: [] for _, found, _ in records}
    orphans: dict[int | None, list[Reading]] = {}
    others: list[tuple[bytes | None, Reading]] = []
    for at, (frame, reading) in enumerate(decoded):
        if frame.characteristic == CONTEXT:
            owner = _owner(at, reading, records)
            home = joined[owner] if owner else orphans.setdefault(reading.sequence, [])
            home.append(reading)
        elif frame.characteristic != MEASUREMENT:
            others.append((None, reading))
    return [
        *((found, _merged([reading, *joined[found]])) for _, found, reading in records),
        *((None, _merged(contexts)) for contexts in orphans.values()),
        *others,
    ]


def _owner(at: int, context: Reading, records: list[tuple[int, bytes, Reading]]) -> bytes | None:
    """The key of the record that the context at position *at* belongs to."""
    same = [(where, found) for where, found, each in records if each.sequence == context.sequence]
    before = [found for where, found in same if where < at]
    return before[-1] if before else same[0][1] if same else None


def _merged(parts: list[Reading]) -> Reading:
    codes = {code.system: code for part in parts for code in part.codes}
    trailing = b"".join(part.trailing for part in parts)
    return replace(parts[0], codes=tuple(codes.values()), trailing=trailing)


def _decode(frame: Frame) -> Reading:
    return decoder(DECODERS, frame)(frame.octets)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a procedure ended, and the sequence numbers that came before that."""

    code: int
    sequences: tuple[int, ...]


async def converse(session: Session) -> None:
    """Clock first, then every record after the cursor; the meter's clock is set at the end."""
    clock = await read_clock(session)
    wanted = (MEASUREMENT, CONTEXT, RACP)  # in this order: the meter may answer after the last
    await session.subscribe(*(each for each in wanted if each != CONTEXT or session.has(each)))
    outcome = await _fetch(session)
    if outcome.code not in (sig_racp.SUCCESS, sig_racp.NO_RECORDS):
        raise LinkError(f"the meter did not give its records: response code {outcome.code}")
    if outcome.code == sig_racp.SUCCESS and outcome.sequences:
        await session.advance(max(outcome.sequences))
    await set_clock(session, clock)
    await battery(session)


async def _fetch(session: Session) -> Outcome:
    """Ask for what is new; for everything if the meter cannot tell, or has started again."""
    cursor = session.cursor
    if cursor is None or cursor >= LAST_SEQUENCE:
        return await _procedure(session, sig_racp.report_all())
    outcome = await _procedure(session, sig_racp.report_from(cursor + 1))
    if outcome.code in sig_racp.UNSUPPORTED or (
        outcome.code == sig_racp.NO_RECORDS and await _started_again(session, cursor)
    ):
        return await _procedure(session, sig_racp.report_all())
    return outcome


async def _started_again(session: Session, cursor: int) -> bool:
    """Whether the newest record has a number below the cursor: the meter was reset."""
    newest = await _procedure(session, sig_racp.report_last())
    return any(sequence < cursor for sequence in newest.sequences)


async def _procedure(session: Session, request: bytes) -> Outcome:
    """Send a request and hear it out. Raises LinkError if it is not answered."""
    await session.write(RACP, request)
    sequences: list[int] = []
    async for frame in session.frames(SILENCE_S):
        if frame.characteristic == MEASUREMENT and len(frame.octets) >= 3:
            sequences.append(int.from_bytes(frame.octets[1:3], "little"))
        elif frame.characteristic == RACP:
            answer = _answer(frame.octets)
            if answer is not None and answer.request == request[0]:
                return Outcome(answer.code, tuple(sequences))
    if session.connected:
        raise LinkError(f"the meter was silent for {SILENCE_S:.0f} s and did not finish")
    raise LinkError("the meter hung up before it had given all its records")


def _answer(octets: bytes) -> sig_racp.Response | None:
    try:
        return sig_racp.response(octets)
    except DecodeError:
        return None  # nothing that ends a procedure


DRIVER = Driver(
    name="sig_glucose",
    title="Glucose meter (Bluetooth SIG profile)",
    specialization="glucose",
    service=SERVICE,
    data=(MEASUREMENT, CONTEXT),
    readable=(MEASUREMENT, CONTEXT, RACP),
    decode=decode,
    converse=converse,
    key=key,
    group=group,
    join=join,
    numbered=True,
    settles="session",
    session_s=600.0,  # a first contact may fetch a thousand records
    flags=(*STATUS.values(), OFFSET_UNKNOWN, CONTROL),
    codes={system: tuple(names.values()) for system, names in NAMED.items()},
)
