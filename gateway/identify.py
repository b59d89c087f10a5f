"""Which reading is this, when was it taken, and whose is it? Decided from facts; pure."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drivers.api import Driver, Reading
from gateway import device_clock
from gateway.model import Patient, Segment
from gateway.outbox.bindings import Binding
from gateway.outbox.devices import Device

# A stamp is in whole seconds, and its clock is known to the second: what was measured
# in the moment of pairing is not older than the pairing.
STAMP_ERROR = timedelta(seconds=2)

# Flags of readings that were not taken when they came, though no stamp says when.
NOT_NOW = frozenset({"time-offset-unknown", "data-from-measurement-storage"})

NEVER = {  # flags of readings that are never published, and why (design 10)
    "control-solution": "control solution: a test of the meter, not of the person",
    "intermediate": "intermediate value: the meter was still measuring",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """When a reading was taken: `effective` in UTC, None if that cannot be known."""

    effective: datetime | None
    segment: Segment | None  # on which its stamp lies; id 0: not stored yet
    said: datetime | None = None  # UTC by that segment, which may not be all that can be said
    changed: Sequence[Segment] = ()  # segments that its stamp has opened, closed or measured


@dataclass(frozen=True, slots=True)
class Owner:
    """Where a reading goes: a state, its reason, and the binding that says whose it is."""

    state: str
    reason: str | None
    binding: Binding | None


def timing(
    driver: Driver,
    reading: Reading,
    segments: Sequence[Segment],
    arrived: datetime | None,
    zone: ZoneInfo,
    *,
    readable: bool = True,
) -> Timing:
    """Resolve the stamp by its clock segment.

    Without any stamp a reading was taken when it arrived, unless it says that it is older. Then,
    and with a stamp that no segment explains, its time is unknown and is not invented. *arrived* is
    None when our own clock could not be trusted; *readable*: the meter's clock can be read.
    """
    if reading.taken_at is None:
        earlier = bool(reading.taken_at_raw) or not NOT_NOW.isdisjoint(reading.flags)
        return Timing(None if earlier else arrived, None)
    if "time-fault" in reading.flags:
        return Timing(None, None)
    switching = zone if driver.self_switching else None
    possible = device_clock.running(reading.taken_at, switching)
    found = device_clock.explain(segments, possible, arrived)
    if arrived is not None and not (readable and segments):
        moment = device_clock.live(reading.taken_at, arrived, zone)
        known = found.utc is not None and abs(found.utc - arrived) <= device_clock.LIVE
        if moment is not None and not known:
            shown = device_clock.shown(segments, reading.taken_at, moment, switching)
            changed = device_clock.read(segments, shown, moment)
            return Timing(moment, changed[-1], moment, changed)
    return Timing(found.utc, found.segment, found.said)


def live(when: Timing, arrived: datetime | None) -> bool:
    """Whether a reading came as soon as it was taken, by a stamp that lies on a clock segment."""
    if when.effective is None or arrived is None or when.segment is None:
        return False
    return abs(when.effective - arrived) <= device_clock.LIVE


def set_right(driver: Driver, when: Timing, zone: ZoneInfo) -> bool:
    """Whether a stamp lies on the segment of a clock that was set to the right time."""
    if when.segment is None:
        return False
    return device_clock.right(when.segment, None if driver.self_switching else zone)


def owner(
    device: Device,
    bindings: Sequence[Binding],
    reading: Reading,
    when: Timing,
    *,
    in_memory: bool,
) -> Owner:
    """Whose reading this is. Never guessed: what no binding explains is held.

    *in_memory*: the meter may have held it when it was paired, from somebody else's hands.
    """
    for flag, reason in NEVER.items():
        if flag in reading.flags:
            return Owner("ignored", reason, None)
    slot = [each for each in bindings if each.slot == reading.user]
    if not slot:
        user = "without a slot" if reading.user is None else f"slot {reading.user}"
        return Owner("held", f"no person is bound to {user} of this meter", None)
    binding = _at(slot, when.effective)
    if binding is None:
        return Owner("held", "measured before this person had the meter", slot[-1])
    if binding.patient is None:
        return Owner("ignored", "this slot is ignored", binding)
    undatable = when.effective is None or reading.taken_at is None
    if undatable and in_memory and binding.from_at >= device.added_at:
        reason = "its time is unknown, and it may be older than the pairing"
        return Owner("held", reason, binding)
    return Owner("pending", None, binding)


def _at(bindings: Sequence[Binding], effective: datetime | None) -> Binding | None:
    """The binding in force at that time; for an unknown time the one in force now."""
    if effective is None:
        return next((each for each in bindings if each.to_at is None), None)
    for each in bindings:
        begun = each.from_at - STAMP_ERROR <= effective
        if begun and (each.to_at is None or effective < each.to_at):
            return each
    return None


def place(driver: Driver, when: Timing, arrived_us: int) -> bytes:
    """What makes a key unique beside the driver's own part.

    Numbered records need nothing; a dated one its clock segment; what has neither is told from
    another only by when it arrived, and an undated resend cannot be told from a second reading.
    """
    if driver.numbered:
        return b""
    if when.segment is not None:
        return b"segment %d" % when.segment.id
    return b"arrival %d" % arrived_us


def public_id(patient: Patient, device: Device, key: bytes, occurrence: bytes) -> str:
    """The reading's name for the outside: a UUID from patient, meter and natural key.

    The same from a replaced gateway; not to be guessed without the opaque patient id.
    """
    digest = hashlib.sha256()
    for part in (
        b"hjemgate reading 1",
        patient.system.encode(),
        patient.value.encode(),
        (device.identity or device.address).encode(),
        key,
        occurrence,
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    return str(uuid.UUID(bytes=digest.digest()[:16], version=5))


def stored(when: Timing, row: int) -> Timing:
    """The same with its segments on disk."""
    if when.segment is None:
        return when
    return replace(when, segment=replace(when.segment, id=row))
