"""The rules of PhdDevice and PhgDevice (HL7 PHD 2.0.0)."""

import re
from collections.abc import Iterator
from typing import Any

from gateway.fhir.codes import CODINGS

Json = dict[str, Any]

MDC = "urn:iso:std:iso:11073:10101"
IDENTIFIERS = {
    "SYSID": (r"([0-9A-F]{2}-){7}[0-9A-F]{2}", "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"),
    "BTMAC": (r"([0-9A-F]{2}-){5}[0-9A-F]{2}", "http://hl7.org/fhir/sid/eui-48/bluetooth"),
}
SPECIALIZATIONS = {"528388", "528391", "528392", "528399", "528401", "528457"}
VERSIONS = {"531974", "531975", "531976", "532352"}
BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"
ANSWERED = {"532354.0", "68219.0", "68219.1"}  # unregulated, has a clock, that can be set
CERTIFIED, CERTIFIED_SERVICE, TIME_SYNC, USB = "532353", "532355", "68220", "USB"
BODY = r"urn:oid:[0-2](\.(0|[1-9]\d*)){2,}|http://hl7\.org/fhir/NamingSystem/(gs1-di|fda-udi)"
UDI = {"deviceIdentifier", "issuer", "jurisdiction", "carrierHRF"}


def _codes(concept: Json) -> list[str]:
    return [coding["code"] for coding in concept.get("coding", []) if coding["system"] == MDC]


def meter_type(device: Json) -> Iterator[str]:
    if _codes(device["type"]) != ["65573"]:
        yield f"{_codes(device['type'])}"


def gateway_type(device: Json) -> Iterator[str]:
    if _codes(device["type"]) != ["531981"]:
        yield f"{_codes(device['type'])}"


def maker_and_model(device: Json) -> Iterator[str]:
    for name in ("manufacturer", "modelNumber"):
        if not re.fullmatch(r"\S(.*\S)?", device.get(name, "")):
            yield name


def meter_identifier(device: Json) -> Iterator[str]:
    """At least one that the hardware has of itself."""
    found = [i for i in device["identifier"] if "type" in i]
    if not found:
        yield "none"
    for identifier in found:
        shape, system = IDENTIFIERS[identifier["type"]["coding"][0]["code"]]
        if identifier["system"] != system or not re.fullmatch(shape, identifier["value"]):
            yield f"{identifier['value']}"


def specialization(device: Json) -> Iterator[str]:
    found = [code for s in device["specialization"] for code in _codes(s["systemType"])]
    if not found or not SPECIALIZATIONS.issuperset(found):
        yield f"{found}"


def specialization_version(device: Json) -> Iterator[str]:
    if not all(found.get("version") for found in device["specialization"]):
        yield "missing"


def versions(device: Json) -> Iterator[str]:
    found = [code for version in device["version"] for code in _codes(version["type"])]
    if not found or not VERSIONS.issuperset(found) or len(found) != len(set(found)):
        yield f"{found}"
    if not all(version["value"] for version in device["version"]):
        yield "an empty one"


def no_parent(device: Json) -> Iterator[str]:
    if "parent" in device:
        yield "a parent"


def time_sync(device: Json) -> Iterator[str]:
    for found in device.get("property", []):
        if _codes(found["type"]) == ["68220"]:
            methods = [code for value in found["valueCode"] for code in _codes(value)]
            if len(methods) != 1 or methods[0] not in ("532224", "532226"):
                yield f"{methods}"


def _kinds(found: Json) -> list[str]:
    """What a property is of, in whatever system."""
    return [coding["code"] for coding in found["type"]["coding"]]


def _of(device: Json, *kinds: str) -> Iterator[Json]:
    for found in device.get("property", []):
        if set(_kinds(found)) & set(kinds):
            yield found


def known_properties(device: Json) -> Iterator[str]:
    for found in device.get("property", []):
        if not {*ANSWERED, CERTIFIED, TIME_SYNC, USB}.issuperset(_kinds(found)):
            yield f"{_kinds(found)}"


def answers(device: Json) -> Iterator[str]:
    """Each asked once, and answered with yes or no."""
    asked = [kind for found in _of(device, *ANSWERED) for kind in _kinds(found)]
    if len(asked) != len(set(asked)):
        yield f"{asked}"
    for found in _of(device, *ANSWERED):
        if [coding["system"] for coding in found["type"]["coding"]] != [BITS]:
            yield "a bit of no list"
        said = [(c["system"], c["code"]) for v in found["valueCode"] for c in v["coding"]]
        if len(said) != 1 or said[0] not in ((YES_NO, "Y"), (YES_NO, "N")):
            yield f"{said}"
        if "valueQuantity" in found:
            yield "a quantity"


def certified_interfaces(device: Json) -> Iterator[str]:
    """One a property: by the guide's number, or in words."""
    for found in _of(device, CERTIFIED):
        if len(found["valueCode"]) != 1:
            yield "not one"
        for value in found["valueCode"]:
            said = [coding["code"] for coding in value.get("coding", [])]
            known = [f"interface/{code}" in CODINGS for code in said]
            if not all(known) or bool(said) is ("text" in value):
                yield f"{value}"


def usb_product(device: Json) -> Iterator[str]:
    for found in _of(device, USB):
        said = [value.get("text", "") for value in found["valueCode"]]
        if len(said) != 1 or not re.fullmatch(r"VID_[0-9A-F]{4}:PID_[0-9A-F]{4}", said[0]):
            yield f"{said}"


def udi(device: Json) -> Iterator[str]:
    """At most one, and never by which way it came: R4 has no word for that."""
    found = device.get("udiCarrier", [])
    if len(found) > 1:
        yield "two"
    for carrier in found:
        if not carrier or not UDI.issuperset(carrier) or not all(carrier.values()):
            yield f"{sorted(carrier)}"
        bodies = [carrier[name] for name in ("issuer", "jurisdiction") if name in carrier]
        if not all(re.fullmatch(BODY, body) for body in bodies):
            yield f"{bodies}"


def claims_nothing(device: Json) -> Iterator[str]:
    """The gateway is not certified by Continua."""
    if any(_of(device, CERTIFIED, CERTIFIED_SERVICE)):
        yield "a certificate"
    if "532352" in [code for version in device["version"] for code in _codes(version["type"])]:
        yield "a version of Continua's"


_BOTH = (maker_and_model, specialization, versions, no_parent, time_sync)
METER = (
    meter_type,
    meter_identifier,
    specialization_version,
    known_properties,
    answers,
    certified_interfaces,
    usb_product,
    udi,
    *_BOTH,
)
GATEWAY = (gateway_type, claims_nothing, *_BOTH)
