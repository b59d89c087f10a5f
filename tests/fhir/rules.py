"""The rules that the profiles add to FHIR R4, for the Bundles of this project. No validator.

Sources: HL7 PHD 2.0.0 (PhdBaseObservation and its children, PhdDevice, PhgDevice,
PhdCoincidentTimeStampObservation), DK Core 3.8.0 (dk-core-observation), R4's vital-signs profiles
and invariants, and this project's own contract. Each rule yields what it finds wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from tests.fhir import device_rules, observation_rules
from tests.fhir.elements import EXTENSION, PHD, Json, extensions

Rule = Callable[[Json], Iterator[str]]


def faults(bundle: Json) -> list[str]:
    """Everything wrong, each with the rule's name in front."""
    found = [fault for name, rule in BUNDLE_RULES.items() for fault in _tried(name, rule, bundle)]
    for entry in bundle["entry"]:
        resource = entry["resource"]
        for name, rule in RULES[_kind(resource)].items():
            found += _tried(name, rule, resource)
    return found


def _tried(name: str, rule: Rule, of: Json) -> Iterator[str]:
    """What is missing altogether is a fault as well."""
    try:
        for fault in rule(of):
            yield f"{name}: {fault}"
    except KeyError as error:
        yield f"{name}: no {error}"


def _kind(resource: Json) -> str:
    claimed = [url.removeprefix(PHD) for url in resource["meta"]["profile"] if PHD in url]
    if resource["resourceType"] != "Observation":
        return str(claimed[0])
    return "timestamp" if claimed == ["PhdCoincidentTimeStampObservation"] else "observation"


def transaction(bundle: Json) -> Iterator[str]:
    if bundle["type"] != "transaction":
        yield bundle["type"]
    for entry in bundle["entry"]:
        kind = entry["resource"]["resourceType"]
        if entry["request"]["url"].split("?")[0] != kind:
            yield f"{kind} sent to {entry['request']['url']}"


def own_identifier(bundle: Json) -> Iterator[str]:
    """A second sending changes nothing: found by our identifier.

    That is no fullUrl: a server may replace these wherever they stand.
    """
    places = {entry["fullUrl"] for entry in bundle["entry"]}
    for entry in bundle["entry"]:
        own = entry["resource"]["identifier"][0]
        request = entry["request"]
        search = request.get("ifNoneExist") or request["url"].partition("?")[2]
        if _token(search) != (own["system"], own["value"]):
            yield f"found by {search}"
        if own["value"] in places:
            yield f"{own['value']} is an identifier and a fullUrl"


def _token(search: str) -> tuple[str, ...]:
    """System and value of a search for an identifier, without their escapes."""
    sought = unquote(search.removeprefix("identifier="))
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", sought))


def references_resolve(bundle: Json) -> Iterator[str]:
    there = [entry["fullUrl"] for entry in bundle["entry"]]
    if len(there) != len(set(there)):
        yield "two entries of one fullUrl"
    for reference in _references(bundle):
        outside = re.fullmatch(
            r"Patient(/[A-Za-z0-9.-]{1,64}|\?identifier=[^|]+%7C[^|]+)", reference
        )
        if reference not in there and not outside:
            yield f"{reference} leads nowhere"


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def right_devices(bundle: Json) -> Iterator[str]:
    """device is the meter, the gateway stands in the extension; for the timestamp otherwise."""
    kinds = {e["fullUrl"]: _kind(e["resource"]) for e in bundle["entry"]}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        match _kind(resource):
            case "observation":
                url = f"{EXTENSION}observation-gatewayDevice"
                gateways = [e["valueReference"]["reference"] for e in extensions(resource, url)]
                told = (resource["device"]["reference"], *gateways)
            case "timestamp":
                told = (resource["subject"]["reference"], resource["device"]["reference"])
            case _:
                continue
        if [kinds.get(reference) for reference in told] != ["PhdDevice", "PhgDevice"]:
            yield f"{entry['fullUrl']}: wrong devices"


BUNDLE_RULES: Mapping[str, Rule] = {
    rule.__name__: rule for rule in (transaction, own_identifier, references_resolve, right_devices)
}
RULES: Mapping[str, Mapping[str, Rule]] = {
    kind: {rule.__name__: rule for rule in rules}
    for kind, rules in {
        "observation": observation_rules.OBSERVATION,
        "timestamp": observation_rules.TIMESTAMP,
        "PhdDevice": device_rules.METER,
        "PhgDevice": device_rules.GATEWAY,
        "PhdPatient": (),
    }.items()
}
