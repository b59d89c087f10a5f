"""How often what may stand in PhdDevice and PhgDevice, and in which elements it is said."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.fhir.elements import MDC, PHD, Json, kind

ELEMENTS = {
    *("resourceType", "meta", "identifier", "udiCarrier", "manufacturer", "serialNumber"),
    *("modelNumber", "type", "specialization", "version", "property"),
}
KINDS_OF_ID = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers"
GATEWAY_ID = r"gw-[0-9a-hjkmnp-tv-z]{10}"
CERTIFIED = "532353"  # one property an interface


def device_claims(device: Json) -> Iterator[str]:
    if device["meta"]["profile"] != [f"{PHD}{kind(device)}"]:
        yield f"{device['meta']['profile']}"


def gateway_id(device: Json) -> Iterator[str]:
    """By its serial number people know a gateway."""
    gateway = kind(device) == "PhgDevice"
    if gateway and not re.fullmatch(GATEWAY_ID, device["serialNumber"]):
        yield device["serialNumber"]


def known_elements(device: Json) -> Iterator[str]:
    """No status either: whether a meter is still in use is not the gateway's to say."""
    if more := set(device) - ELEMENTS:
        yield f"{sorted(more)}"


def one_type(device: Json) -> Iterator[str]:
    if [coding["system"] for coding in device["type"]["coding"]] != [MDC]:
        yield f"{device['type']['coding']}"


def one_specialization(device: Json) -> Iterator[str]:
    """Each by one MDC code, and none twice."""
    told = [coding for s in device["specialization"] for coding in s["systemType"]["coding"]]
    codes = [coding["code"] for coding in told if coding["system"] == MDC]
    if len(codes) != len(device["specialization"]) or len(set(codes)) != len(told):
        yield f"{codes}"


def one_version_of_a_kind(device: Json) -> Iterator[str]:
    told = [tuple(c["code"] for c in v["type"]["coding"]) for v in device["version"]]
    if len(told) != len(set(told)) or any(len(codes) != 1 for codes in told):
        yield f"{told}"
    if any(set(version) != {"type", "value"} for version in device["version"]):
        yield "more than a type and a value"


def one_identifier_of_a_kind(device: Json) -> Iterator[str]:
    """Ours, which has no type, then those of the hardware."""
    kinds = []
    for identifier in device["identifier"]:
        codings = identifier.get("type", {}).get("coding", [])
        kinds.append(tuple(c["code"] for c in codings if c["system"] == KINDS_OF_ID))
    if "type" in device["identifier"][0] or () in kinds[1:] or len(kinds) != len(set(kinds)):
        yield f"{kinds}"
    if any(set(i) - {"type"} != {"system", "value"} for i in device["identifier"]):
        yield "more than a type, a system and a value"


def one_property_of_a_kind(device: Json) -> Iterator[str]:
    told = [tuple(c["code"] for c in p["type"]["coding"]) for p in device.get("property", [])]
    for codes, count in Counter(told).items():
        if len(codes) != 1 or (count > 1 and codes != (CERTIFIED,)):
            yield f"{codes} {count} times"
    if any(set(found) != {"type", "valueCode"} for found in device.get("property", [])):
        yield "more than a type and a code"


SLICES = (
    *(device_claims, gateway_id, known_elements, one_type, one_specialization),
    *(one_version_of_a_kind, one_identifier_of_a_kind, one_property_of_a_kind),
)
