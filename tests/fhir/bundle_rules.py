"""The rules for a Bundle as a whole: what is asked of the server, and what leads where."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from tests.fhir.elements import EXTENSION, MDC, PHD, Json, codings, extensions, kind

URI = "urn:ietf:rfc:3986"
URN = r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OUTSIDE = r"Patient(/[A-Za-z0-9.-]{1,64}|\?identifier=[^|]+%7C[^|]+)"  # not an entry of the Bundle
GATEWAY, TIMESTAMP = f"{EXTENSION}observation-gatewayDevice", f"{PHD}CoincidentTimeStampReference"
TESTER, SELF = "8417884", "8417888"  # who took the sample
LEADS: Mapping[str, Mapping[str, str]] = {  # of a kind of resource: the element to a kind
    "observation": {"subject": "Patient", "performer": "Patient", "device": "PhdDevice"}
    | {GATEWAY: "PhgDevice", TIMESTAMP: "timestamp", "derivedFrom": "measurement"},
    "timestamp": {"subject": "PhdDevice", "device": "PhgDevice"},
}


def transaction(bundle: Json) -> Iterator[str]:
    if bundle["type"] != "transaction":
        yield bundle["type"]
    for entry in bundle["entry"]:
        of = entry["resource"]["resourceType"]
        if entry["request"]["url"].split("?")[0] != of:
            yield f"{of} sent to {entry['request']['url']}"


def one_of_each(bundle: Json) -> Iterator[str]:
    """A reading has a gateway and a meter, at most one clock pair and at most one citizen."""
    count = Counter(kind(entry["resource"]) for entry in bundle["entry"])
    if not count["observation"]:  # a Device is announced
        if list(count.values()) != [1] or not count["PhdDevice"] + count["PhgDevice"]:
            yield f"{dict(count)}"
    elif (count["PhgDevice"], count["PhdDevice"]) != (1, 1):
        yield f"{dict(count)}"
    if count["timestamp"] > 1 or count["Patient"] > 1:
        yield f"{dict(count)}"


def request(bundle: Json) -> Iterator[str]:
    """Created if it is not there. Updated are a later version, and a Device that is announced."""
    announced = all(e["resource"]["resourceType"] == "Device" for e in bundle["entry"])
    for entry in bundle["entry"]:
        asked, resource = entry["request"], entry["resource"]
        shape = (asked["method"], *sorted(set(asked) - {"method", "url"}))
        allowed: list[tuple[str, ...]] = [("PUT",)] if announced else [("POST", "ifNoneExist")]
        if kind(resource) == "observation":
            if resource["status"] == "amended":
                allowed = [("PUT",)]
            elif resource["status"] == "entered-in-error":  # by the meter, or taken back
                allowed.append(("PUT",))
        if shape not in allowed:
            yield f"{resource['resourceType']} by {shape}"
        if asked["method"] == "POST" and asked["url"] != resource["resourceType"]:
            yield f"posted to {asked['url']}"


def invalid_from_the_first(bundle: Json) -> Iterator[str]:
    """What the meter itself calls invalid has no value; what is taken back later keeps its own."""
    for entry in bundle["entry"]:
        resource = entry["resource"]
        parts = (resource, *resource.get("component", []))
        invalid = resource.get("status") == "entered-in-error"
        if invalid and entry["request"]["method"] == "POST":
            yield from ("a value" for part in parts if "valueQuantity" in part)


def own_identifier(bundle: Json) -> Iterator[str]:
    """A second sending changes nothing: found by our identifier, which nothing else bears.

    That is no fullUrl: a server may replace these wherever they stand.
    """
    places = {entry["fullUrl"] for entry in bundle["entry"]}
    borne = Counter(_token_of(entry["resource"]) for entry in bundle["entry"])
    for entry in bundle["entry"]:
        own, asked = entry["resource"]["identifier"][0], entry["request"]
        search = asked.get("ifNoneExist") or asked["url"].partition("?")[2]
        if token(search) != _token_of(entry["resource"]):
            yield f"found by {search}"
        if own["value"] in places:
            yield f"{own['value']} is an identifier and a fullUrl"
        if borne[_token_of(entry["resource"])] > 1:
            yield f"{own['value']} twice"
        of_ours = own["system"] == URI and re.fullmatch(URN, own["value"])
        if kind(entry["resource"]) != "Patient" and not of_ours:
            yield f"{own}"


def token(search: str) -> tuple[str, ...]:
    """System and value of a search for an identifier, without their escapes."""
    sought = unquote(search.removeprefix("identifier="))
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", sought))


def _token_of(resource: Json) -> tuple[str, str]:
    own = resource["identifier"][0]
    return own["system"], own["value"]


def references_resolve(bundle: Json) -> Iterator[str]:
    there = [entry["fullUrl"] for entry in bundle["entry"]]
    if len(there) != len(set(there)):
        yield "two entries of one fullUrl"
    for reference in _references(bundle):
        if reference not in there and not re.fullmatch(OUTSIDE, reference):
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


def references_lead(bundle: Json) -> Iterator[str]:
    """To the kind of resource that each is for. The two clocks' device is the gateway."""
    kinds = {entry["fullUrl"]: _place(entry["resource"]) for entry in bundle["entry"]}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        for element, expected in LEADS.get(kind(resource), {}).items():
            for reference in _of(resource, element):
                found = kinds.get(reference, "Patient" if reference.startswith("Patient") else "")
                if found != expected:
                    yield f"{element} to {found or reference}"


def _of(resource: Json, element: str) -> list[str]:
    if ":" in element:
        return [e["valueReference"]["reference"] for e in extensions(resource, element)]
    found = resource.get(element, [])
    return [each["reference"] for each in (found if isinstance(found, list) else [found])]


def _place(resource: Json) -> str:
    """As `kind`, but a measurement is told from a status or a circumstance of it."""
    numeric = {f"{PHD}PhdNumericObservation", f"{PHD}PhdCompoundNumericObservation"}
    measured = numeric & set(resource["meta"].get("profile", []))
    return "measurement" if measured and kind(resource) == "observation" else kind(resource)


def one_citizen(bundle: Json) -> Iterator[str]:
    """All of a reading is about one, whose entry is there if and only if it is referred to."""
    observed = [e["resource"] for e in bundle["entry"] if kind(e["resource"]) == "observation"]
    subjects = {resource["subject"]["reference"] for resource in observed}
    if observed and len(subjects) != 1:
        yield f"{len(subjects)}"
    entries = {e["fullUrl"] for e in bundle["entry"] if kind(e["resource"]) == "Patient"}
    if entries - subjects:
        yield "an entry that nothing is about"


def performed_by_the_citizen(bundle: Json) -> Iterator[str]:
    """Unless the meter says that another measured; of whom it says no more."""
    current = [
        e["resource"]
        for e in bundle["entry"]
        if kind(e["resource"]) == "observation" and e["resource"]["status"] != "entered-in-error"
    ]
    told = [o["valueCodeableConcept"] for o in current if TESTER in codings(o["code"], MDC)]
    expected = all(SELF in codings(answer, MDC) for answer in told)
    for observation in current:
        if ("performer" in observation) is not expected:
            yield "not the citizen" if expected else "the citizen"


def marked_as_test_data(bundle: Json) -> Iterator[str]:
    """Simulated: HTEST everywhere. Else nowhere, or (an oximeter's test) on every measurement."""
    marked = [(kind(e["resource"]), bool(_labels(e["resource"]))) for e in bundle["entry"]]
    observed = {mark for of, mark in marked if of == "observation"}
    if _labels(bundle):
        if not all(mark for _, mark in marked):
            yield "not on every resource of a simulated reading"
    elif len(observed) > 1 or any(mark for of, mark in marked if of != "observation"):
        yield "on some resources alone"
    for resource in (bundle, *(entry["resource"] for entry in bundle["entry"])):
        if _labels(resource) not in ([], [HTEST]):
            yield f"{_labels(resource)}"


HTEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}


def _labels(resource: Json) -> list[Json]:
    found: list[Json] = resource.get("meta", {}).get("security", [])
    return found


BUNDLE = (
    *(transaction, one_of_each, request, invalid_from_the_first, own_identifier),
    *(references_resolve, references_lead),
    *(one_citizen, performed_by_the_citizen, marked_as_test_data),
)
