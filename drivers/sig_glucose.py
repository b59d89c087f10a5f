"""Glucose Profile (service 0x1808): numbered records, pulled through the record access point.

The frames are drawn in sig_glucose_frames, the requests in sig_racp. A record is a measurement
and, with the same sequence number, its context; its identity is sequence and base time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from drivers import sig_racp
from drivers.api import DecodeError, Driver, Frame, Reading, sig_uuid
from drivers.pull import Item, fetch
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

CONTEXT_FOLLOWS = 0x10  # in the flags of a measurement

DECODERS: Mapping[UUID, Callable[[bytes], Reading]] = {
    MEASUREMENT: measurement,
    CONTEXT: context,
    RACP: sig_racp.decode,
}


def decode(frames: Sequence[Frame]) -> Sequence[Reading]:
    """A measurement becomes a reading, with the codes of the contexts that belong to it.

    A context belongs to the record before it, or else to the first; what came later, a code of one
    system or a whole measurement, replaces what came before. Without any measurement contexts make
    one reading without values.
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


def awaits(frames: Sequence[Frame]) -> bool:
    """Whether a record says that a context follows, and there is none.

    It may say that this is no glucose: some meters mark their ketones so.
    """
    contexts = {frame.octets[1:3] for frame in frames if frame.characteristic == CONTEXT}
    return any(
        frame.characteristic == MEASUREMENT
        and bool(frame.octets[0] & CONTEXT_FOLLOWS)
        and frame.octets[1:3] not in contexts
        for frame in frames
        if frame.octets
    )


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
    """Every reading with its key: one for each record, as it was told last."""
    records: dict[bytes, list[Frame]] = {}
    newest: dict[bytes, bytes] = {}  # by number: the record of it that came last
    early: dict[bytes, list[Frame]] = {}  # contexts before any record of their number
    others: list[tuple[bytes | None, Reading]] = []
    for frame in frames:
        number = frame.octets[1:3]
        if frame.characteristic == MEASUREMENT:
            newest[number] = MEASUREMENT.bytes + frame.octets[1:10]
            _told(records.setdefault(newest[number], early.pop(number, [])), frame)
        elif frame.characteristic == CONTEXT:
            home = records[newest[number]] if number in newest else early.setdefault(number, [])
            _told(home, frame)
        else:
            others.append((None, _decode(frame)))
    return [
        *((found, _merged(parts)) for found, parts in records.items()),
        *((None, _merged(contexts)) for contexts in early.values()),
        *others,
    ]


def _told(parts: list[Frame], frame: Frame) -> None:
    """Last is what was told last: a frame that came before moves to the end."""
    if frame in parts:
        parts.remove(frame)
    parts.append(frame)


def _merged(parts: Sequence[Frame]) -> Reading:
    """The last measurement with its contexts; a context alone if there is none."""
    decoded = [(frame.characteristic, _decode(frame)) for frame in parts]
    measurements = [reading for where, reading in decoded if where == MEASUREMENT]
    contexts = [reading for where, reading in decoded if where == CONTEXT]
    whole = [*measurements[-1:], *contexts]
    codes = {code.system: code for part in whole for code in part.codes}
    trailing = b"".join(part.trailing for part in whole)
    return replace(whole[0], codes=tuple(codes.values()), trailing=trailing)


def _decode(frame: Frame) -> Reading:
    return decoder(DECODERS, frame)(frame.octets)


def itemise(frame: Frame) -> Item | None:
    """Sequence and base time of a measurement, even of one that does not decode."""
    if frame.characteristic != MEASUREMENT or len(frame.octets) < 3:
        return None
    number, base = frame.octets[1:3], frame.octets[3:10]
    return Item(int.from_bytes(number, "little"), base[1::-1] + base[2:])  # the year is u16


DRIVER = Driver(
    name="sig_glucose",
    title="Glucose meter (Bluetooth SIG profile)",
    specialization="glucose",
    service=SERVICE,
    data=(MEASUREMENT, CONTEXT),
    readable=(MEASUREMENT, CONTEXT, RACP),
    decode=decode,
    converse=fetch(itemise, MEASUREMENT, CONTEXT),
    key=key,
    group=group,
    join=join,
    awaits=awaits,
    numbered=True,
    settles="session",
    session_s=600.0,  # a first contact may fetch a thousand records
    flags=(*STATUS.values(), OFFSET_UNKNOWN, CONTROL),
    codes={system: tuple(names.values()) for system, names in NAMED.items()},
)
