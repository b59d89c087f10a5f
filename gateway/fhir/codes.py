"""What each number means: MDC always, LOINC and Danish codes where meaning and unit both agree.

The codes are codes.csv, each row with its source (docs/fhir.md says what those are). MDC: IEEE
11073-10101, as decimal numbers (partition x 65536 + term). DK Core allows one coding of each system
that it slices, so SpO2 carries 2708-6 alone. Left out, for they would say another thing: NPU03011
(a fraction, where a meter says 97 %), NPU03794 (a height in metres, where R4 wants centimetres),
LOINC for the skin of a finger or a toe (it says nothing of fever).
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from drivers.api import Absent, Kind, Reading
from gateway.fhir.errors import RenderError
from gateway.fhir.serial import Json, Resource
from gateway.model import DeviceRecord

MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"
SYSTEMS: Mapping[str, tuple[str, ...]] = {  # by the table's word: beside an MDC code
    "loinc": ("http://loinc.org",),
    "sks": ("urn:oid:1.2.208.176.2.4",),
    "npu": ("http://npu-terminology.org", "urn:oid:1.2.208.176.2.1"),  # DK Core's name, FUT's name
    "npu-dk": ("urn:oid:1.2.208.176.2.1",),  # national codes, which only FUT's list has
}
OTHERS: Mapping[str, str] = {  # by the table's word: of what has no MDC code
    "bit": "http://terminology.hl7.org/CodeSystem/ASN1ToHL7",
    "continua": "http://hl7.org/fhir/uv/phd/CodeSystem/ContinuaPHDInterfaceIDs",
    "id": "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers",
}

UNITS: Mapping[str, str] = {  # UCUM code to what people write
    "mm[Hg]": "mmHg",
    "kPa": "kPa",
    "/min": "/min",
    "mmol/L": "mmol/L",
    "mg/dL": "mg/dL",
    "Cel": "°C",
    "[degF]": "°F",
    "kg": "kg",
    "[lb_av]": "lb",
    "cm": "cm",
    "[in_i]": "in",
    "kg/m2": "kg/m²",
    "%": "%",
}

REASONS: Mapping[Absent, str] = {  # PHD guide, FLOATS; system data-absent-reason
    Absent.NOT_A_NUMBER: "not-a-number",
    Absent.NOT_AT_THIS_RESOLUTION: "error",
    Absent.POSITIVE_INFINITY: "positive-infinity",
    Absent.NEGATIVE_INFINITY: "negative-infinity",
    Absent.RESERVED: "error",
    Absent.UNSUCCESSFUL: "error",
    Absent.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Also:
    """A further coding, true only in these units."""

    system: str
    code: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    mdc: str
    name: str  # the MDC reference identifier
    also: tuple[Also, ...] = ()
    vital: tuple[str, ...] = ()  # units in which the rules of FHIR's vital-signs profiles hold


def _rows() -> Sequence[Mapping[str, str]]:
    text = files("gateway.fhir").joinpath("codes.csv").read_text(encoding="utf-8")
    return [*csv.DictReader(text.splitlines())]


def _table() -> Mapping[str, Meaning]:
    """Of codes.csv: a row of MDC first, then what it is called elsewhere."""
    found: dict[str, Meaning] = {}
    for row in _ROWS:
        of, code, units = row["of"], row["code"], tuple(row["units"].split())
        if row["system"] == "mdc":
            found[of] = Meaning(code, row["name"])
        elif row["system"] in SYSTEMS:
            known = found[of]
            also = tuple(Also(system, code, units) for system in SYSTEMS[row["system"]])
            vital = units if row["vital"] else known.vital
            found[of] = Meaning(known.mdc, known.name, (*known.also, *also), vital)
    return found


_ROWS = _rows()
CODES = _table()  # by what is meant: "systolic", "glucose/venous-plasma", "meal/fasting"
CODINGS: Mapping[str, Resource] = {  # of what has no MDC code: "clock/settable", "interface/32775"
    row["of"]: {
        "system": OTHERS[row["system"]],
        "code": row["code"],
        "display": row["name"],
    }
    for row in _ROWS
    if row["system"] in OTHERS
}
PANEL_KINDS = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.MEAN_PRESSURE)
NEVER_PUBLISHED = (Kind.CUFF_PRESSURE,)


def told(reading: Reading, system: str) -> str | None:
    """What the reading's code of this system says, if it has one."""
    return next((code.code for code in reading.codes if code.system == system), None)


def meaning(kind: Kind, reading: Reading, meter: DeviceRecord) -> Meaning:
    """The most special meaning that fits. Raises RenderError for what is never published.

    Where a temperature was taken: in the reading's own word, else in the meter's.
    """
    if kind in NEVER_PUBLISHED:
        raise RenderError("an intermediate cuff pressure is never published")
    special: tuple[str, ...]
    match kind:
        case Kind.GLUCOSE:  # `glucose` alone: the meter did not say of what
            sample = f"glucose/{told(reading, 'sample-type')}"
            special = (f"{sample}/{told(reading, 'meal')}", sample)
        case Kind.BODY_TEMPERATURE:
            sites = (told(reading, "temperature-type"), meter.info.temperature_type, "body")
            special = tuple(f"{kind}/{site}" for site in sites)
        case _:
            special = (f"{kind}/{meter.specialization}",)
    return next(CODES[of] for of in (*special, kind.value) if of in CODES)


def concept(what: Meaning, unit: str) -> Resource:
    """The CodeableConcept of a measurement made in *unit*."""
    also: list[Json] = [
        {"system": coding.system, "code": coding.code}
        for coding in what.also
        if unit in coding.units
    ]
    return {"coding": [_mdc(what), *also]}


def coded(of: str) -> Resource:
    """The CodeableConcept of what has no unit."""
    return {"coding": [CODINGS[of] if of in CODINGS else _mdc(CODES[of])]}


def _mdc(what: Meaning) -> Resource:
    return {"system": MDC, "code": what.mdc, "display": what.name}
