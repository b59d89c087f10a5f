"""The two frames of the Glucose Service (0x1808), little-endian.

Measurement (2A18, notified):

    flags u8   b0 time offset   b1 concentration   b2 unit: 0 kg/L, 1 mol/L
               b3 status   b4 a context follows
    sequence u16   base time: Date Time, 7 octets
    [b0] time offset s16, minutes   [b1] SFLOAT, then u8: sample type low, location high
    [b3] status u16

Measurement Context (2A34, notified after its measurement, with the same sequence):

    flags u8, sequence u16   [b7] more flags u8
    [b0] carbohydrate u8, amount SFLOAT      [b1] meal u8
    [b2] u8: tester low, health high         [b3] exercise s u16, intensity % u8
    [b4] medication u8, amount SFLOAT        [b6] HbA1c SFLOAT, %

User-facing time is base time plus offset; the base time of a record never moves. The amounts of
a context are not given on: the specification's units for them contradict each other.
Source: Bluetooth GATT Specification Supplement.
"""

from collections.abc import Mapping
from datetime import timedelta

from drivers.api import Code, Kind, Reading, Value, sig_uuid
from drivers.codec import Reader, Stamp, coded, date_time, flagged

MEASUREMENT = sig_uuid(0x2A18)
CONTEXT = sig_uuid(0x2A34)

RESERVED = 0xE0  # flags of a measurement
OVERRUN, UNDERRUN = 0x7FFF, -0x8000  # a time offset too large to tell
OFFSET_UNKNOWN = "time-offset-unknown"
CONTROL = "control-solution"  # a test of the meter: never a reading of a patient
KG_TO_MG_PER_DL = 5  # kg/L x 1E5 = mg/dL
MOL_TO_MMOL = 3

STATUS: Mapping[int, str] = {
    0: "device-battery-low",
    1: "sensor-malfunction",
    2: "sample-size-insufficient",
    3: "strip-insertion-error",
    4: "strip-type-incorrect",
    5: "result-too-high",
    6: "result-too-low",
    7: "temperature-too-high",
    8: "temperature-too-low",
    9: "read-interrupted",
    10: "general-device-fault",
    11: "time-fault",
}
NAMED: Mapping[str, Mapping[int, str]] = {  # system of a code: its names
    "sample-type": {
        1: "capillary-whole-blood",
        2: "capillary-plasma",
        3: "venous-whole-blood",
        4: "venous-plasma",
        5: "arterial-whole-blood",
        6: "arterial-plasma",
        7: "undetermined-whole-blood",
        8: "undetermined-plasma",
        9: "interstitial-fluid",
        10: CONTROL,
    },
    "sample-location": {
        1: "finger",
        2: "alternate-site-test",
        3: "earlobe",
        4: CONTROL,
        15: "not-available",
    },
    "carbohydrate": {
        1: "breakfast",
        2: "lunch",
        3: "dinner",
        4: "snack",
        5: "drink",
        6: "supper",
        7: "brunch",
    },
    "meal": {1: "preprandial", 2: "postprandial", 3: "fasting", 4: "casual", 5: "bedtime"},
    "tester": {1: "self", 2: "health-care-professional", 3: "lab-test", 15: "not-available"},
    "health": {
        1: "minor-health-issues",
        2: "major-health-issues",
        3: "during-menses",
        4: "under-stress",
        5: "no-health-issues",
        15: "not-available",
    },
    "medication": {
        1: "rapid-acting-insulin",
        2: "short-acting-insulin",
        3: "intermediate-acting-insulin",
        4: "long-acting-insulin",
        5: "pre-mixed-insulin",
    },
}


def measurement(octets: bytes) -> Reading:
    """Glucose Measurement."""
    reader = Reader(octets)
    flags, sequence = reader.u8(), reader.u16()
    base_octets = reader.take(7)
    offset = reader.s16() if flags & 1 else 0
    stamp = _user_time(base_octets, offset)
    values, codes = _concentration(reader, molar=bool(flags & 4)) if flags & 2 else ((), ())
    status = reader.u16() if flags & 8 else 0
    return Reading(
        values=values,
        taken_at=stamp.at,
        taken_at_raw=stamp.raw,
        flags=(
            *flagged(status, STATUS),
            *((OFFSET_UNKNOWN,) if offset in (OVERRUN, UNDERRUN) else ()),
            *((CONTROL,) if any(code.code == CONTROL for code in codes) else ()),
        ),
        codes=codes,
        sequence=sequence,
        trailing=reader.trailing(flags & RESERVED),
    )


def context(octets: bytes) -> Reading:
    """Glucose Measurement Context: a sequence number and codes, no values."""
    reader = Reader(octets)
    flags, sequence = reader.u8(), reader.u16()
    more_flags = reader.u8() if flags & 128 else 0  # all of these are reserved
    codes: list[Code] = []
    if flags & 1:
        codes.append(_code("carbohydrate", reader.u8()))
        reader.sfloat()
    if flags & 2:
        codes.append(_code("meal", reader.u8()))
    if flags & 4:
        tester_health = reader.u8()
        codes.append(_code("tester", tester_health & 0xF))
        codes.append(_code("health", tester_health >> 4))
    if flags & 8:
        reader.take(3)
    if flags & 16:
        codes.append(_code("medication", reader.u8()))
        reader.sfloat()
    if flags & 64:
        reader.sfloat()
    return Reading(codes=tuple(codes), sequence=sequence, trailing=reader.trailing(more_flags))


def _concentration(reader: Reader, *, molar: bool) -> tuple[tuple[Value, ...], tuple[Code, ...]]:
    number = reader.sfloat().shifted(MOL_TO_MMOL if molar else KG_TO_MG_PER_DL)
    type_location = reader.u8()
    return (number.value(Kind.GLUCOSE, "mmol/L" if molar else "mg/dL"),), (
        _code("sample-type", type_location & 0xF),
        _code("sample-location", type_location >> 4),
    )


def _user_time(base: bytes, offset: int) -> Stamp:
    stamp = date_time(base)
    if stamp.at is None or offset in (OVERRUN, UNDERRUN):
        return Stamp(None, base)
    try:
        return Stamp(stamp.at + timedelta(minutes=offset))
    except OverflowError:  # past the year 9999
        return Stamp(None, base)


def _code(system: str, number: int) -> Code:
    return coded(system, number, NAMED[system])
