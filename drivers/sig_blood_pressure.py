"""Blood Pressure Profile (service 0x1810).

Measurement (2A35, indicated) and Intermediate Cuff Pressure (2A36, notified), little-endian:

    flags u8   b0 unit: 0 mmHg, 1 kPa   b1 time   b2 pulse   b3 user   b4 status
    systolic, diastolic, mean SFLOAT    (2A36: cuff pressure, two unused)
    [b1] Date Time, 7 octets   [b2] pulse rate SFLOAT   [b3] user u8   [b4] status u16

Meters set flags above b4 and status bits above b5; both are reserved and ignored. As they set
them without sending anything more, these flags announce no field either.
Source: Bluetooth GATT Specification Supplement, Blood Pressure Measurement.
"""

from collections.abc import Mapping

from drivers.api import Absent, Driver, Kind, Reading, sig_uuid
from drivers.codec import Number, Reader, Stamp, flagged
from drivers.push import decode_each, frame_key, listen

SERVICE = sig_uuid(0x1810)
MEASUREMENT = sig_uuid(0x2A35)
INTERMEDIATE = sig_uuid(0x2A36)

ANNOUNCING = 0  # of the reserved flags none
UNKNOWN_USER = 0xFF
PRESSURES = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.MEAN_PRESSURE)

STATUS: Mapping[int, str] = {
    0: "body-movement",
    1: "cuff-too-loose",
    2: "irregular-pulse",
    5: "improper-measurement-position",
}
PULSE_RANGE: Mapping[int, str] = {  # the number in status bits 3 and 4; 0 in range, 3 reserved
    1: "pulse-rate-exceeds-upper-limit",
    2: "pulse-rate-less-than-lower-limit",
}
INTERMEDIATE_FLAG = "intermediate"  # a cuff that is still deflating: never a reading of a patient


def status_flags(status: int) -> tuple[str, ...]:
    """The names of a status field, in the order of its bits."""
    pulse_range = PULSE_RANGE.get(status >> 3 & 0b11)
    low, high = flagged(status & 0b111, STATUS), flagged(status & ~0b111, STATUS)
    return (*low, *((pulse_range,) if pulse_range else ()), *high)


def measurement(octets: bytes) -> Reading:
    """Blood Pressure Measurement."""
    return _reading(octets, PRESSURES)


def intermediate(octets: bytes) -> Reading:
    """Intermediate Cuff Pressure: the same shape, of which only the first value is used."""
    return _reading(octets, (Kind.CUFF_PRESSURE,), INTERMEDIATE_FLAG)


def _reading(octets: bytes, kinds: tuple[Kind, ...], *more_flags: str) -> Reading:
    reader = Reader(octets)
    flags = reader.u8()
    unit = "kPa" if flags & 1 else "mm[Hg]"
    pressures = tuple(_of_the_living(reader.sfloat()) for _ in PRESSURES)
    stamp = reader.date_time() if flags & 2 else Stamp()
    pulse = (_of_the_living(reader.sfloat()),) if flags & 4 else ()
    user = reader.u8() if flags & 8 else UNKNOWN_USER
    status = reader.u16() if flags & 16 else 0
    return Reading(
        values=(
            *(number.value(kind, unit) for kind, number in zip(kinds, pressures, strict=False)),
            *(number.value(Kind.PULSE_RATE, "/min") for number in pulse),
        ),
        taken_at=stamp.at,
        taken_at_raw=stamp.raw,
        flags=(*more_flags, *status_flags(status)),
        user=None if user == UNKNOWN_USER else user,
        trailing=reader.trailing(ANNOUNCING),
    )


def _of_the_living(number: Number) -> Number:
    """Cuffs that do not compute a mean, or count no pulse, put 0 there; no person has less."""
    if number.number is not None and number.number <= 0:
        return Number(None, Absent.UNKNOWN)
    return number


DRIVER = Driver(
    name="sig_blood_pressure",
    title="Blood pressure monitor (Bluetooth SIG profile)",
    specialization="blood-pressure",
    service=SERVICE,
    data=(MEASUREMENT,),
    readable=(MEASUREMENT, INTERMEDIATE),
    decode=decode_each({MEASUREMENT: measurement, INTERMEDIATE: intermediate}),
    converse=listen(MEASUREMENT),
    key=frame_key(MEASUREMENT, measurement),
    flags=(INTERMEDIATE_FLAG, *STATUS.values(), *PULSE_RANGE.values()),
)
