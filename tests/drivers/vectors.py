"""The recorded cases of tests/vectors, and what a Reading says in their words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers import sig_blood_pressure, sig_glucose_frames, sig_pulse_oximeter, sig_thermometer
from drivers.api import Absent, Kind, Reading
from drivers.codec import plain

FOLDER = Path(__file__).parent.parent / "vectors"

SPECIALS = {
    Absent.NOT_A_NUMBER: "NaN",
    Absent.POSITIVE_INFINITY: "+INF",
    Absent.NEGATIVE_INFINITY: "-INF",
    Absent.NOT_AT_THIS_RESOLUTION: "NRes",
    Absent.RESERVED: "RFU",
}
KINDS = {
    "systolic": Kind.SYSTOLIC,
    "diastolic": Kind.DIASTOLIC,
    "mean": Kind.MEAN_PRESSURE,
    "cuff_pressure": Kind.CUFF_PRESSURE,
    "pulse_rate": Kind.PULSE_RATE,
    "mg_per_dL": Kind.GLUCOSE,
    "mmol_per_L": Kind.GLUCOSE,
    "weight": Kind.BODY_WEIGHT,
    "bmi": Kind.BMI,
    "height": Kind.BODY_HEIGHT,
    "temperature": Kind.BODY_TEMPERATURE,
    "spo2": Kind.OXYGEN_SATURATION,
    "pulse_amplitude_index": Kind.PULSE_AMPLITUDE_INDEX,
}
FIELDS = {"sequence_number": "sequence", "user_id": "user"}
TIMES = ("timestamp", "user_time")
CODES = {
    "type": ("sample-type", "temperature-type"),
    "sample_location": ("sample-location",),
    "meal": ("meal",),
}
NAMED: Mapping[str, Mapping[int, str]] = {
    **sig_glucose_frames.NAMED,
    sig_thermometer.TYPE_SYSTEM: sig_thermometer.TYPES,
}
# Said by no part of a Reading: flags that only describe the frame, and numbers that stand in it
# as something else (base time and offset as user time, kg/L as mg/dL).
SILENT = {"flags", "unused", "base_time", "time_offset_min", "concentration", "context_follows"}


def cases(name: str, *characteristics: str) -> list[Any]:
    """The vectors of one file, those of *characteristics* only if any are named."""
    vectors = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["vectors"]
    return [v for v in vectors if not characteristics or v["characteristic"] in characteristics]


def says(reading: Reading, key: str) -> object:
    """What *reading* says about a key of a vector's expected values, in the vector's words."""
    if key in KINDS:
        return _number(reading, KINDS[key])
    if key in FIELDS:
        return getattr(reading, FIELDS[key])
    if key in TIMES:
        return None if reading.taken_at is None else reading.taken_at.isoformat()
    if key in CODES:
        return _code_number(reading, CODES[key])
    match key:
        case "timestamp_raw":
            year, rest = reading.taken_at_raw[:2], reading.taken_at_raw[2:]
            return [int.from_bytes(year, "little"), *rest]
        case "unit":
            unit = reading.values[0].unit
            return {"mg/dL": "kg/L", "mmol/L": "mol/L"}.get(unit, unit)
        case "height_unit":
            return next(v.unit for v in reading.values if v.kind is Kind.BODY_HEIGHT)
        case "clock_not_set":
            return sig_pulse_oximeter.CLOCK_NOT_SET in reading.flags
        case _:
            raise KeyError(key)


def status_names(key: str, characteristic: str, bits: int) -> tuple[str, ...]:
    """The flags that a vector's status field stands for."""
    if characteristic == "2A35":
        return sig_blood_pressure.status_flags(bits)
    table = {
        "status": sig_glucose_frames.STATUS,
        "measurement_status": sig_pulse_oximeter.MEASUREMENT_STATUS,
        "device_sensor_status": sig_pulse_oximeter.DEVICE_STATUS,
    }[key]
    return tuple(name for bit, name in table.items() if bits & 1 << bit)


def _number(reading: Reading, kind: Kind) -> str:
    (value,) = (v for v in reading.values if v.kind is kind)
    if value.absent is not None:
        return SPECIALS[value.absent]
    assert value.number is not None
    return plain(value.number)


def _code_number(reading: Reading, systems: tuple[str, ...]) -> int:
    (code,) = (code for code in reading.codes if code.system in systems)
    return next(n for n, name in NAMED[code.system].items() if name == code.code)
