"""The rules of PhdBaseObservation and its children, of DK Core and of R4's vital signs."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from tests.fhir.elements import (
    EXTENSION,
    LOINC,
    MDC,
    PHD,
    Json,
    codings,
    extensions,
    profiles,
    values,
)

UCUM = "http://unitsofmeasure.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
MEASUREMENT_STATUS = "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status"
DK_SLICES = (
    LOINC,
    "http://snomed.info/sct",
    "http://npu-terminology.org",
    MDC,
    "http://medcomfhir.dk/ig/terminology/CodeSystem/medcom-observation-codes",
    "urn:oid:1.2.208.176.2.4",
)
ABSENT_CODES = {  # those of R4's value set that a meter can be the cause of
    *("unknown", "error", "not-a-number", "negative-infinity", "positive-infinity"),
    *("not-performed", "unsupported"),
}
VITAL_UNITS = {  # R4's vital-signs profiles: magic LOINC code to its units
    "85354-9": set[str](),
    "8867-4": {"/min"},
    "2708-6": {"%"},
    "29463-7": {"kg", "g", "[lb_av]"},
    "8302-2": {"cm", "[in_i]"},
    "39156-5": {"kg/m2"},
    "8310-5": {"Cel", "[degF]"},
}
BIT_COUNT = {"8410608": 6, "8417752": 11, "150604": 16}
CLOCKS = {"67975", "68226", "67983", "68072"}  # PHD's value set MDCClockTypes
UNITS = {  # UCUM, as far as these meters measure
    *("mm[Hg]", "kPa", "/min", "mmol/L", "mg/dL", "Cel", "[degF]"),
    *("kg", "[lb_av]", "cm", "[in_i]", "kg/m2", "%"),
}
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def phd_category(o: Json) -> Iterator[str]:
    system = "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories"
    if [code for c in o["category"] for code in codings(c, system)] != ["phd"]:
        yield "not exactly one"


def gateway_extension(o: Json) -> Iterator[str]:
    if len(extensions(o, f"{EXTENSION}observation-gatewayDevice")) != 1:
        yield "not exactly one"
    if len(extensions(o, f"{PHD}CoincidentTimeStampReference")) > 1:
        yield "more than one timestamp"


def phd_identifier(o: Json) -> Iterator[str]:
    ids = [i for i in o["identifier"] if i["system"] == f"{PHD}PhdBaseObservation"]
    if len(ids) > 1:
        yield "more than one"
    shape = r"[0-9A-F]{12}([0-9A-F]{4})?-.+-\d+-\d+(-\d+)*"
    for found in ids:
        if "type" in found or not re.fullmatch(shape, found["value"]):
            yield f"shape of {found['value']}"
        if not any(f"-{code}-" in found["value"] for code in codings(o["code"], MDC)):
            yield "of another type"


def mdc_code(o: Json) -> Iterator[str]:
    for element in (o, *o.get("component", [])):
        if not codings(element["code"], MDC) + codings(element["code"], BITS):
            yield "no MDC code"


def subject_and_device(o: Json) -> Iterator[str]:
    for name in ("subject", "device"):
        if not o.get(name, {}).get("reference"):
            yield f"no {name}"
    if any(performer != o.get("subject") for performer in o.get("performer", [])):
        yield "measured by someone else"


def moments(o: Json) -> Iterator[str]:
    """effective[x] is there, if only to say that it is unknown; every moment has an offset."""
    if "effectiveDateTime" not in o:
        unknown = {"url": f"{EXTENSION}data-absent-reason", "valueCode": "unknown"}
        if unknown not in o.get("_effectiveDateTime", {}).get("extension", []):
            yield "no effective time, and no word why"
    for name in ("effectiveDateTime", "issued"):
        if name in o and not _is_moment(o[name]):
            yield f"{name} {o[name]}"


def _is_moment(text: str) -> bool:
    if not re.fullmatch(MOMENT, text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def status(o: Json) -> Iterator[str]:
    if o["status"] not in ("final", "preliminary", "amended", "entered-in-error"):
        yield o["status"]


def interpretation(o: Json) -> Iterator[str]:
    for found in o.get("interpretation", []):
        if len(codings(found, MEASUREMENT_STATUS)) != 1:
            yield "no measurement status"


def value_or_reason(o: Json) -> Iterator[str]:
    """R4 obs-6, vs-2, vs-3: one of the two, never both."""
    for element in (o, *o.get("component", [])):
        told = len(values(element)) + ("dataAbsentReason" in element)
        if told > 1 or (told == 0 and (element is not o or "component" not in o)):
            yield f"{told} values and reasons"
        codes = codings(element.get("dataAbsentReason", {}), ABSENT)
        if "dataAbsentReason" in element and not ABSENT_CODES.issuperset(codes or ["none"]):
            yield f"reason {codes}"


def quantities(o: Json) -> Iterator[str]:
    """PHD and DK Core: UCUM, coded, and words for people."""
    for element in (o, *o.get("component", [])):
        if (quantity := element.get("valueQuantity")) is None:
            continue
        if quantity.get("system") != UCUM or not {"value", "unit", "code"} <= set(quantity):
            yield f"{quantity}"
        elif quantity["code"] not in UNITS:
            yield f"unit {quantity['code']}"
        elif not isinstance(quantity["value"], int | float | Decimal):
            yield f"{quantity['value']!r} is no number"


def profile_shape(o: Json) -> Iterator[str]:
    """What each child of PhdBaseObservation allows as its value and components."""
    allowed = {
        "PhdNumericObservation": ["valueQuantity"],
        "PhdCodedEnumerationObservation": ["valueCodeableConcept"],
    }
    claimed = [name for name in profiles(o) if name.startswith("Phd")]
    if len(claimed) != 1:
        yield f"claims {claimed}"
    for name in claimed:
        if not set(values(o)) <= set(allowed.get(name, [])):
            yield f"{name} with {values(o)}"


def compound(o: Json) -> Iterator[str]:
    if "PhdCompoundNumericObservation" not in profiles(o):
        return
    for component in o["component"]:
        if len(codings(component["code"], MDC)) != 1:
            yield "a component without exactly one MDC code"
        if not set(values(component)) <= {"valueQuantity"}:
            yield f"a component with {values(component)}"


def bits(o: Json) -> Iterator[str]:
    if "PhdBitsEnumerationObservation" not in profiles(o):
        return
    word = codings(o["code"], MDC)[0]
    known = {f"{word}.{bit}" for bit in range(BIT_COUNT[word])}
    for component in o["component"]:
        if not set(codings(component["code"], BITS)) <= known:
            yield f"unknown bit {codings(component['code'], BITS)}"
        if component.get("valueBoolean") is not True:
            yield "a bit that is not set"


def supplemental(o: Json) -> Iterator[str]:
    for component in o.get("component", []):
        if codings(component["code"], MDC) == ["68193"]:
            told = component.get("valueCodeableConcept", {})
            if len(codings(told, MDC)) != 1:
                yield "a supplemental type without an MDC code"


def dk_core_slices(o: Json) -> Iterator[str]:
    for element in (o, *o.get("component", [])):
        for system in DK_SLICES:
            if len(codings(element["code"], system)) > 1:
                yield f"two codings of {system}"


def vital_signs(o: Json) -> Iterator[str]:
    """A vital-signs code, its category and its units come together or not at all."""
    magic = [code for code in codings(o["code"], LOINC) if code in VITAL_UNITS]
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    claimed = ["vital-signs" in codings(c, system) for c in o["category"]].count(True)
    if claimed != len(magic):
        yield f"category {claimed} times for {magic}"
    for code in magic:
        if "valueQuantity" in o and o["valueQuantity"]["code"] not in VITAL_UNITS[code]:
            yield f"{code} in {o['valueQuantity']['code']}"


def blood_pressure(o: Json) -> Iterator[str]:
    """R4's profile bp: systolic and diastolic, in mm[Hg]."""
    if "85354-9" not in codings(o["code"], LOINC):
        return
    parts = [code for c in o["component"] for code in codings(c["code"], LOINC)]
    if not {"8480-6", "8462-4"} <= set(parts):
        yield f"components {parts}"
    for component in o["component"]:
        quantity = component.get("valueQuantity")
        if quantity is not None and quantity.get("code") != "mm[Hg]":
            yield f"unit {quantity.get('code')}"


# The coincident timestamp


def clock_pair(o: Json) -> Iterator[str]:
    if o["status"] != "final":
        yield o["status"]
    told = values(o)
    if "dataAbsentReason" in o:
        if told or codings(o["dataAbsentReason"], ABSENT) != ["unknown"]:
            yield "a clock that is both known and unknown"
    elif told != ["valueDateTime"]:
        yield f"{told}"
    for name in ("effectiveDateTime", "valueDateTime"):
        if name in o and not _is_moment(o[name]):
            yield f"{name} {o[name]}"
    if forbidden := {"focus", "specimen", "hasMember", "derivedFrom"} & set(o):
        yield f"{forbidden}"


def clock_type(o: Json) -> Iterator[str]:
    if not CLOCKS.issuperset(codings(o["code"], MDC) or ["none"]):
        yield f"{codings(o['code'], MDC)}"


OBSERVATION = (
    *(phd_category, gateway_extension, phd_identifier, mdc_code, subject_and_device, moments),
    *(status, interpretation, value_or_reason, quantities, profile_shape, compound, bits),
    *(supplemental, dk_core_slices, vital_signs, blood_pressure),
)
TIMESTAMP = (clock_pair, clock_type)
