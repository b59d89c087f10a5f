"""The rules of PhdDevice and PhgDevice (HL7 PHD 2.0.0)."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

MDC = "urn:iso:std:iso:11073:10101"
IDENTIFIERS = {
    "SYSID": (r"([0-9A-F]{2}-){7}[0-9A-F]{2}", "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"),
    "BTMAC": (r"([0-9A-F]{2}-){5}[0-9A-F]{2}", "http://hl7.org/fhir/sid/eui-48/bluetooth"),
}
SPECIALIZATIONS = {"528388", "528391", "528392", "528399", "528401", "528457"}
VERSIONS = {"531974", "531975", "531976"}


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


_BOTH = (maker_and_model, specialization, versions, no_parent, time_sync)
METER = (meter_type, meter_identifier, specialization_version, *_BOTH)
GATEWAY = (gateway_type, *_BOTH)
