"""The rules for what was measured: numbers and their units, bits, R4's vital signs."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from gateway.fhir.codes import CODES
from tests.fhir.elements import LOINC, MDC, Json, codings, profiles, values

UCUM = "http://unitsofmeasure.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
ABSENT_CODES = {  # those of R4's value set that a meter can be the cause of
    *("unknown", "error", "not-a-number", "negative-infinity", "positive-infinity"),
    *("not-performed", "temp-unknown", "unsupported"),
}
VITAL_UNITS: Mapping[str, set[str]] = {  # R4's vital-signs profiles: LOINC code to its units
    "85354-9": set(),
    "8867-4": {"/min"},
    "2708-6": {"%"},
    "29463-7": {"kg", "g", "[lb_av]"},
    "8302-2": {"cm", "[in_i]"},
    "39156-5": {"kg/m2"},
    "8310-5": {"Cel", "[degF]"},
}
BIT_COUNT = {"8410608": 6, "8417752": 11, "150604": 16}
WRITTEN = {  # UCUM, as far as these meters measure, and how people write it
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
PRESSURE, PULSE, FRACTION = (
    ("150021", "150022", "150023"),
    ("149530", "149546"),
    ("150448", "150456"),
)
GLUCOSE = (
    *("160020", "160184", "160188", "160192", "160196", "160200", "160204", "160212"),
    *("160364", "160368"),
)
TEMPERATURE = (
    *("150364", "150392", "188420", "188424", "188428", "188432", "188448", "188452"),
    "188456",
)
BODY = ("188736", "188740", "188752")  # weight, height, body mass index
UNITS: Mapping[str, tuple[str, ...]] = {  # MDC code to the units that it can be measured in
    **dict.fromkeys(PRESSURE, ("mm[Hg]", "kPa")),
    **dict.fromkeys(PULSE, ("/min",)),
    **dict.fromkeys(FRACTION, ("%",)),
    **dict.fromkeys(GLUCOSE, ("mmol/L", "mg/dL")),
    **dict.fromkeys(TEMPERATURE, ("Cel", "[degF]")),
    "188736": ("kg", "[lb_av]"),
    "188740": ("cm", "[in_i]"),
    "188752": ("kg/m2",),
}


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
    """PHD and DK Core: UCUM, coded, and words for people that say the same."""
    for _, quantity in _quantities(o):
        if quantity.get("system") != UCUM or not {"value", "unit", "code"} <= set(quantity):
            yield f"{quantity}"
        elif quantity["code"] not in WRITTEN:
            yield f"unit {quantity['code']}"
        elif quantity["unit"] != WRITTEN[quantity["code"]]:
            yield f"{quantity['code']} written {quantity['unit']}"
        elif not isinstance(quantity["value"], int | float | Decimal):
            yield f"{quantity['value']!r} is no number"


def unit_of_the_code(o: Json) -> Iterator[str]:
    for mdc, quantity in _quantities(o):
        if quantity["code"] not in UNITS.get(mdc, ()):
            yield f"{mdc} in {quantity['code']}"


def possible(o: Json) -> Iterator[str]:
    """A number as the meter gave it, neither more nor less than it; no weight, no glucose below 0.

    Other numbers that no person can have travel as they came, for a care team to see.
    """
    for mdc, quantity in _quantities(o):
        if "comparator" in quantity:
            yield quantity["comparator"]
        if mdc in (*GLUCOSE, *BODY) and quantity["value"] < 0:
            yield f"{mdc} of {quantity['value']}"


def _quantities(o: Json) -> Iterator[tuple[str, Json]]:
    for element in (o, *o.get("component", [])):
        if "valueQuantity" in element:
            yield next(iter(codings(element["code"], MDC)), ""), element["valueQuantity"]


def also_called(o: Json) -> Iterator[str]:
    """LOINC and Danish codes: all of a row of codes.csv in this unit, or (half a value) none."""
    for element in (o, *o.get("component", [])):
        for mdc in codings(element["code"], MDC)[:1]:
            unit = element.get("valueQuantity", {}).get("code")
            told = [(c["system"], c["code"]) for c in element["code"]["coding"][1:]]
            rows = [
                [(also.system, also.code) for also in meaning.also if each in also.units]
                for meaning in CODES.values()
                if meaning.mdc == mdc
                for each in ([unit] if unit else WRITTEN)
            ]
            if told not in rows and (unit or told):
                yield f"{mdc} in {unit}: {told}"


def bits(o: Json) -> Iterator[str]:
    if "PhdBitsEnumerationObservation" not in profiles(o):
        return
    word = codings(o["code"], MDC)[0]
    known = {f"{word}.{bit}" for bit in range(BIT_COUNT[word])}
    for component in o["component"]:
        if len(codings(component["code"], BITS)) != 1:
            yield "not one bit"
        if not set(codings(component["code"], BITS)) <= known:
            yield f"unknown bit {codings(component['code'], BITS)}"
        if component.get("valueBoolean") is not True:
            yield "a bit that is not set"


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


VALUES = (value_or_reason, quantities, unit_of_the_code, possible, also_called, bits, vital_signs)
