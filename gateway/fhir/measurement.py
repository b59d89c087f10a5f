"""From a reading to the parts that become Observations: what is different in each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from drivers.api import Kind, Reading, Value
from gateway.fhir import codes, context
from gateway.fhir.errors import RenderError
from gateway.fhir.serial import Json, Resource
from gateway.fhir.status import ABSENT as ABSENT_BY_STATUS
from gateway.fhir.status import Decision
from gateway.model import Record

ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"

Profile = Literal[
    "PhdNumericObservation",
    "PhdCompoundNumericObservation",
    "PhdBitsEnumerationObservation",
    "PhdCodedEnumerationObservation",
]


@dataclass(frozen=True, slots=True)
class Part:
    """One Observation to be: its code and what stands under it.

    `role` is its place in the reading, and stays though an amendment changes the code.
    """

    role: str
    mdc: str
    profile: Profile
    code: Resource
    value: Resource = field(default_factory=dict)  # value[x] or dataAbsentReason
    components: tuple[Resource, ...] = ()
    supplemental: tuple[str, ...] = ()
    vital: bool = False
    measured: bool = True  # False: a status or a circumstance of what was measured


def parts(record: Record, decisions: Sequence[Decision]) -> tuple[Part, ...]:
    """The measurements first. Raises RenderError where there is nothing to say."""
    reasons = {decision.absent for decision in decisions}
    absent = next((each for each in ABSENT_BY_STATUS if each in reasons), "")
    panel = [v for v in record.reading.values if v.kind in codes.PANEL_KINDS]
    single = [v for v in record.reading.values if v.kind not in codes.PANEL_KINDS]
    found = (
        *((_panel(panel),) if panel else ()),
        *(_numeric(value, record, absent) for value in single),
        *_bits(record, decisions),
        *_circumstances(record.reading),
    )
    if not found:
        raise RenderError("a reading without a value, a status or a circumstance")
    return found


def _panel(values: Sequence[Value]) -> Part:
    """A blood pressure: systolic, diastolic and mean are components, each with its own fate."""
    unit, panel = values[0].unit, codes.CODES["blood-pressure"]
    # R4's blood pressure has both, always; with less it is not what LOINC's panel code says.
    complete = {Kind.SYSTOLIC, Kind.DIASTOLIC} <= {value.kind for value in values}
    return Part(
        role="blood-pressure",
        mdc=panel.mdc,
        profile="PhdCompoundNumericObservation",
        code=codes.concept(panel, unit if complete else ""),
        components=tuple(
            {"code": codes.concept(codes.CODES[v.kind], v.unit), **_said(v, "")} for v in values
        ),
        vital=complete and unit in panel.vital,
    )


def _numeric(value: Value, record: Record, absent: str) -> Part:
    value = _in_centimetres(value) if value.kind is Kind.BODY_HEIGHT else value
    if value.kind is Kind.GLUCOSE and value.number is not None and value.number < 0:
        raise RenderError("a negative glucose is no person's value")
    meaning = codes.meaning(value.kind, record.reading, record.device)
    said = _said(value, absent)
    # R4's body mass index is a number, always; without one it is not what LOINC's code says.
    unit = value.unit if value.kind is not Kind.BMI or "valueQuantity" in said else ""
    spot = record.device.specialization == "pulse-oximeter"
    return Part(
        role=value.kind,
        mdc=meaning.mdc,
        profile="PhdNumericObservation",
        code=codes.concept(meaning, unit),
        value=said,
        # The guide: what is invalid as a whole has no components.
        components=(_SPOT_CHECK,) if spot and absent != "error" else (),
        supplemental=(codes.CODES["supplemental/spot"].mdc,) if spot else (),
        vital=unit in meaning.vital,
    )


_SPOT_CHECK: Resource = {  # one value, not a stream
    "code": codes.coded("supplemental"),
    "valueCodeableConcept": codes.coded("supplemental/spot"),
}


def _in_centimetres(value: Value) -> Value:
    """Metres to centimetres, as FHIR's body height wants: only the exponent moves."""
    if value.unit != "m":
        return value
    number = None if value.number is None else value.number.scaleb(2)
    return Value(value.kind, number, "cm", value.absent)


def _said(value: Value, absent: str) -> Resource:
    """The number, or why there is none; *absent* (the measurement's status) goes first."""
    if absent:
        return {"dataAbsentReason": reason(absent)}
    if value.absent is not None:
        return {"dataAbsentReason": reason(codes.REASONS[value.absent])}
    if value.number is None:
        raise RenderError(f"{value.kind}: neither a number nor a reason for its absence")
    return {"valueQuantity": _quantity(value.number, value.unit)}


def _quantity(number: Decimal, unit: str) -> Resource:
    return {
        "value": number,
        "unit": codes.UNITS.get(unit, unit),
        "system": codes.UCUM,
        "code": unit,
    }


def reason(code: str) -> Resource:
    return {"coding": [{"system": ABSENT, "code": code}]}


def _bits(record: Record, decisions: Sequence[Decision]) -> tuple[Part, ...]:
    """Bits that are set; one that is not set says nothing (they are events)."""
    of = f"status/{record.device.specialization}"
    raised = [decision for decision in decisions if decision.bit is not None]
    if not raised:
        return ()
    word = codes.CODES[of].mdc
    components: list[Resource] = [
        {"code": {"coding": [_bit(word, decision)]}, "valueBoolean": True}
        for decision in sorted(raised, key=lambda decision: decision.bit or 0)
    ]
    return (
        Part(
            "status",
            word,
            "PhdBitsEnumerationObservation",
            codes.coded(of),
            components=tuple(components),
            measured=False,
        ),
    )


def _bit(word: str, decision: Decision) -> Json:
    return {"system": BITS, "code": f"{word}.{decision.bit}", "display": decision.name}


def _circumstances(reading: Reading) -> tuple[Part, ...]:
    return tuple(
        Part(
            code.system,
            codes.CODES[code.system].mdc,
            "PhdCodedEnumerationObservation",
            codes.coded(code.system),
            value={"valueCodeableConcept": context.answer(code)},
            measured=False,
        )
        for code in reading.codes
        if context.asked(code)
    )
