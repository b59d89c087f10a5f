"""The rules for whatever stands in a Bundle: FHIR's structure, known extensions, known codes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.fhir.codes import CODINGS
from gateway.fhir.errors import RenderError
from gateway.fhir.gate import parse
from gateway.fhir.serial import dumps
from gateway.fhir.status import FLAGS
from tests.conformance.terminology import concepts
from tests.fhir.elements import EXTENSION, MDC, PHD, Json, kind

BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
WORDS = {"blood-pressure": "8410608", "glucose": "8417752", "pulse-oximeter": "150604"}
EXTENSIONS = {  # where they may stand: what of, and the element
    ("observation", "extension"): {
        f"{EXTENSION}observation-gatewayDevice",
        f"{PHD}CoincidentTimeStampReference",
    },
    ("observation", "_effectiveDateTime"): {f"{EXTENSION}data-absent-reason"},
}
YEARS = range(1900, 2101)  # outside, HL7's validator looks for a slip of the pen
LABELS: Mapping[str, set[str]] = {  # code systems of HL7's own, as far as they are used
    "http://terminology.hl7.org/CodeSystem/observation-category": {"vital-signs"},
    "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories": {"phd"},
    "http://terminology.hl7.org/CodeSystem/v3-ActReason": {"HTEST"},
    "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers": {"SYSID", "BTMAC", "USB"},
    "http://terminology.hl7.org/CodeSystem/v2-0136": {"Y", "N"},
    "http://terminology.hl7.org/CodeSystem/data-absent-reason": {
        *("unknown", "error", "not-a-number", "negative-infinity", "positive-infinity"),
        *("not-performed", "temp-unknown"),
    },
}


def is_fhir(bundle: Json) -> Iterator[str]:
    """Elements and their types; what is there is not empty."""
    yield from _empty(bundle, "Bundle")
    try:
        parse(dumps(bundle))
    except RenderError as error:
        yield f"{error}"


def _empty(node: Any, at: str) -> Iterator[str]:
    if node in ("", [], {}, None) or (isinstance(node, str) and not node.strip()):
        yield f"{at} is empty"
    if isinstance(node, dict):
        for name, item in node.items():
            yield from _empty(item, f"{at}.{name}")
    elif isinstance(node, list):
        for number, item in enumerate(node):
            yield from _empty(item, f"{at}[{number}]")


def nothing_twice(bundle: Json) -> Iterator[str]:
    """No list says the same again."""
    for name, item in _members(bundle):
        if isinstance(item, list) and any(each in item[:n] for n, each in enumerate(item)):
            yield name


def known_extensions(bundle: Json) -> Iterator[str]:
    for entry in bundle["entry"]:
        of = kind(entry["resource"])
        for element, url in _extensions(entry["resource"], ()):
            if url not in EXTENSIONS.get((of, element), ()):
                yield f"{url} in {of}.{element}"


def _extensions(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each with the elements that it stands in, without the last word `extension`."""
    if isinstance(node, dict):
        for name, item in node.items():
            if name in ("extension", "modifierExtension"):
                for each in item:
                    yield ".".join(path) or name, each.get("url", "")
                    yield from _extensions(each, (*path, name))
            else:
                yield from _extensions(item, (*path, name))
    elif isinstance(node, list):
        for item in node:
            yield from _extensions(item, path)


def reasonable_years(bundle: Json) -> Iterator[str]:
    for name, text in _members(bundle):
        if name.endswith(("DateTime", "issued", "timestamp")) and isinstance(text, str):
            year = re.match(r"(\d{4})-", text)
            if not year or int(year[1]) not in YEARS:
                yield text


def terminology(bundle: Json) -> Iterator[str]:
    """Codes of known systems alone; each is one that a source confirms, under its name."""
    known = concepts()
    for coding in _codings(bundle):
        system, code = coding["system"], coding["code"]
        listed = known[system] if system in known else _of_hl7(system)
        if code not in listed:
            yield f"{system}#{code}"
        elif listed[code] and coding.get("display", listed[code]) != listed[code]:
            yield f"{code} is not {coding['display']}"
        elif system == MDC and "display" not in coding:
            yield f"{code} without its name"


def _of_hl7(system: str) -> Mapping[str, str]:
    if system == BITS:
        bits = {
            f"{WORDS[of]}.{decision.bit}": decision.name
            for of, flags in FLAGS.items()
            for decision in flags.values()
            if decision.bit is not None
        }
        return bits | _listed(system)
    return dict.fromkeys(LABELS.get(system, ()), "") | _listed(system)


def _listed(system: str) -> dict[str, str]:
    return {str(c["code"]): str(c["display"]) for c in CODINGS.values() if c["system"] == system}


def _codings(node: Any) -> Iterator[Json]:
    """Quantities have a system and a code, too, but are no codings."""
    for name, item in _members(node):
        if name in ("coding", "security"):
            yield from item


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from node.items()
        for item in node.values():
            yield from _members(item)
    elif isinstance(node, list):
        for item in node:
            yield from _members(item)


STRUCTURE = (is_fhir, nothing_twice, known_extensions, reasonable_years, terminology)
