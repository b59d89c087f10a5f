"""The rules of PhdBaseObservation and its children, and of DK Core, but for values."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from tests.conformance.terminology import concepts
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
from tests.fhir.value_rules import BIT_COUNT, BITS, VALUES

DK_CORE = "http://hl7.dk/fhir/core/StructureDefinition/dk-core-observation"
MEASUREMENT_STATUS = "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status"
DK_SLICES = (
    LOINC,
    "http://snomed.info/sct",
    "http://npu-terminology.org",
    MDC,
    "http://medcomfhir.dk/ig/terminology/CodeSystem/medcom-observation-codes",
    "urn:oid:1.2.208.176.2.4",
)
PANELS: Mapping[str, tuple[str, ...]] = {"150020": ("150021", "150022", "150023")}
TOPICS = {  # what a glucose meter tells beside the number
    *("8417764", "8417796", "8417820", "8417844", "8417864", "8417884"),
}
SUPPLEMENTAL = "68193"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def claims(o: Json) -> Iterator[str]:
    """The PHD profile of its kind, and DK Core's; nothing else."""
    told = codings(o["code"], MDC)
    expected = (
        *(["PhdCompoundNumericObservation"] if set(told) & set(PANELS) else []),
        *(["PhdBitsEnumerationObservation"] if set(told) & set(BIT_COUNT) else []),
        *(["PhdCodedEnumerationObservation"] if set(told) & TOPICS else []),
    ) or ("PhdNumericObservation",)
    if o["meta"]["profile"] != [f"{PHD}{expected[0]}", DK_CORE]:
        yield f"{o['meta']['profile']} for {told}"


def phd_category(o: Json) -> Iterator[str]:
    system = "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories"
    if [code for c in o["category"] for code in codings(c, system)] != ["phd"]:
        yield "not exactly one"


def gateway_extension(o: Json) -> Iterator[str]:
    if len(extensions(o, f"{EXTENSION}observation-gatewayDevice")) != 1:
        yield "not exactly one"
    if len(extensions(o, f"{PHD}CoincidentTimeStampReference")) > 1:
        yield "more than one timestamp"


def plain_identifiers(o: Json) -> Iterator[str]:
    """Ours, and PHD's second: neither says of what type it is."""
    systems = [identifier["system"] for identifier in o["identifier"]]
    if systems[1:] not in ([], [f"{PHD}PhdBaseObservation"]):
        yield f"{systems}"
    if any(set(identifier) != {"system", "value"} for identifier in o["identifier"]):
        yield "more than a system and a value"


def mdc_code(o: Json) -> Iterator[str]:
    """It stands first, and there is one. A part has one, too, or is a bit."""
    if [coding["system"] for coding in o["code"]["coding"]].count(MDC) != 1:
        yield f"{codings(o['code'], MDC)}"
    elif o["code"]["coding"][0]["system"] != MDC:
        yield "not the first"
    for component in o.get("component", []):
        if not codings(component["code"], MDC) + codings(component["code"], BITS):
            yield "a part without code"


def subject_and_device(o: Json) -> Iterator[str]:
    for name in ("subject", "device"):
        if not o.get(name, {}).get("reference"):
            yield f"no {name}"
    if any(performer != o.get("subject") for performer in o.get("performer", [])):
        yield "measured by someone else"
    if len(o.get("performer", [])) > 1:
        yield "measured twice"


def moments(o: Json) -> Iterator[str]:
    """effective[x] is there, if only to say that it is unknown; every moment has an offset."""
    unknown = {"extension": [{"url": f"{EXTENSION}data-absent-reason", "valueCode": "unknown"}]}
    told = [name for name in o if name.removeprefix("_").startswith("effective")]
    if told not in (["effectiveDateTime"], ["_effectiveDateTime"]):
        yield f"{told}"
    elif told == ["_effectiveDateTime"] and o["_effectiveDateTime"] != unknown:
        yield "no effective time, and no word why"
    for name in ("effectiveDateTime", "issued"):
        if name in o and not is_moment(o[name]):
            yield f"{name} {o[name]}"


def is_moment(text: str) -> bool:
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


def profile_shape(o: Json) -> Iterator[str]:
    """What each child of PhdBaseObservation allows as its value, and the parts that it needs."""
    allowed = {
        "PhdNumericObservation": ["valueQuantity"],
        "PhdCodedEnumerationObservation": ["valueCodeableConcept"],
    }
    for name in profiles(o):
        if name.startswith("Phd") and not set(values(o)) <= set(allowed.get(name, [])):
            yield f"{name} with {values(o)}"
        parts = {codings(c["code"], MDC)[0] for c in o.get("component", []) if _is_mdc(c)}
        if name in allowed and parts - {SUPPLEMENTAL}:
            yield f"{name} with the parts {parts}"


def _is_mdc(component: Json) -> bool:
    return bool(codings(component["code"], MDC))


def compound(o: Json) -> Iterator[str]:
    """The parts of its panel, each once and no other."""
    for mdc in set(codings(o["code"], MDC)) & set(PANELS):
        told = [codings(component["code"], MDC) for component in o["component"]]
        if any(len(codes) != 1 for codes in told):
            yield "a component without exactly one MDC code"
        parts = [code for codes in told for code in codes]
        if len(parts) != len(set(parts)) or not set(parts) <= set(PANELS[mdc]):
            yield f"the parts {parts}"
        for component in o["component"]:
            if not set(values(component)) <= {"valueQuantity"}:
                yield f"a component with {values(component)}"


def answers_of_the_topic(o: Json) -> Iterator[str]:
    """A circumstance in words, and by an MDC code of its own topic where there is one."""
    names = concepts()[MDC]
    for question in set(codings(o["code"], MDC)) & TOPICS:
        said = o["valueCodeableConcept"]
        if not said.get("text"):
            yield "no words"
        for code in codings(said, MDC):
            if not names[code].startswith(f"{names[question]}_"):
                yield f"{names[code]} to {names[question]}"
        if len(said.get("coding", [])) > 1:
            yield "two answers"


def derived_from(o: Json) -> Iterator[str]:
    """Only a status and a circumstance point at the measurement that they are of."""
    about = set(codings(o["code"], MDC)) & (TOPICS | set(BIT_COUNT))
    if "derivedFrom" in o and (not about or len(o["derivedFrom"]) != 1):
        yield f"{o['derivedFrom']}"


def supplemental(o: Json) -> Iterator[str]:
    for component in o.get("component", []):
        if codings(component["code"], MDC) == [SUPPLEMENTAL]:
            told = component.get("valueCodeableConcept", {})
            if len(codings(told, MDC)) != 1:
                yield "a supplemental type without an MDC code"


def dk_core_slices(o: Json) -> Iterator[str]:
    for element in (o, *o.get("component", [])):
        for system in DK_SLICES:
            if len(codings(element["code"], system)) > 1:
                yield f"two codings of {system}"


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


OBSERVATION = (
    *(claims, phd_category, gateway_extension, plain_identifiers, mdc_code, subject_and_device),
    *(moments, status, interpretation, profile_shape, compound, answers_of_the_topic, derived_from),
    *(supplemental, dk_core_slices, blood_pressure, *VALUES),
)
