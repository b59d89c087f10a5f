"""A Bundle as it came, read with suspicion; pure.

Stricter than `fhir.resources`, which takes "128" for a number and the last of two members of one
name for the only one. A parse, not a validation: profiles and code lists are proved elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID, uuid5

from backend.parse import Parser
from gateway.contract import DEVICE, OBSERVATION, ContractError

MAX_BODY = 262_144  # octets, as at the broker; a Bundle is a few thousand

MAX_EXPONENT = 100  # nothing that anybody measures is larger, or smaller

MDC = "urn:iso:std:iso:11073:10101"
URI = "urn:ietf:rfc:3986"  # the system of an identifier that is itself a URI
PHD_IDENTIFIER = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation"
TIMESTAMP = "67975"  # MDC_ATTR_TIME_ABS: the pair of clocks, which is about the meter
# FHIR R4, ObservationStatus, a required binding.
STATUSES = {"registered", "preliminary", "final", "amended", "corrected", "cancelled"}
STATUSES |= {"entered-in-error", "unknown"}

OF_DEVICE = "device"  # before a digest

Json = Mapping[str, Any]

_parser = Parser()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a receiver has to know of a Bundle beside its octets."""

    digest: str  # of what was measured: the same from two gateways, whatever else they say;
    # of what a Device is, with OF_DEVICE before it
    phd: tuple[str, ...] = ()  # the PHD identifiers of its Observations


def examine(
    body: bytes, reading: UUID, version: int, gateway: str, about: str = OBSERVATION
) -> Contents:
    """Raises ContractError if *body* is no Bundle of that reading by that gateway.

    *about*: the `type` of the message; of a DEVICE *reading* is the name. The text names elements
    and quotes nothing of what stands in them.
    """
    if about == DEVICE:
        return _device(body, reading, version, gateway)
    resources = _resources(body, reading, version)
    _of_gateway(resources, gateway)
    observations = [each for each in resources if each["resourceType"] == "Observation"]
    if any(each.get("status") not in STATUSES for each in observations):
        raise ContractError("body: an Observation has a status that FHIR does not know")
    observations = [each for each in observations if _code(each) != TIMESTAMP]
    _of_somebody(observations)
    return Contents(_digest(observations), tuple(sorted(set(_phd(observations)))))


def _device(body: bytes, name: UUID, version: int, gateway: str) -> Contents:
    """A gateway may speak for any meter, which may have moved; of gateways for itself alone."""
    resources = _resources(body, name, version)
    if [each["resourceType"] for each in resources] != ["Device"]:
        raise ContractError("body: not one Device, and nothing else")
    (resource,) = resources
    identifier = {"system": URI, "value": f"urn:uuid:{name}"}
    request = json.loads(body)["entry"][0].get("request")
    url = f"Device?identifier={URI}%7C{identifier['value']}"
    if identifier not in resource.get("identifier", ()) or request != {"method": "PUT", "url": url}:
        raise ContractError("body: it does not update the Device that its properties name")
    if _has_profile(resource, "PhgDevice"):
        _of_gateway(resources, gateway)
    elif not _has_profile(resource, "PhdDevice"):
        raise ContractError("body: its Device is neither a meter nor a gateway")
    text = json.dumps(resource, sort_keys=True, default=str)
    return Contents(f"{OF_DEVICE} {hashlib.sha256(text.encode()).hexdigest()}")


def _resources(body: bytes, name: UUID, version: int) -> list[Json]:
    if len(body) > MAX_BODY:
        raise ContractError(f"body: expected at most {MAX_BODY} octets, got {len(body)}")
    bundle = _parsed(body)
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise ContractError("body: not a FHIR Bundle")
    if bundle.get("type") != "transaction" or not bundle.get("entry"):
        raise ContractError("body: not a transaction Bundle with entries")
    _look_through(bundle)
    _parser.check(bundle)
    if bundle.get("identifier") != bundle_identifier(name, version):
        raise ContractError("body: its identifier is not that of the reading and its version")
    resources = [entry.get("resource", {}) for entry in bundle["entry"]]
    if not all(isinstance(each.get("resourceType"), str) for each in resources):
        raise ContractError("body: an entry without a resource, or without its type")
    return resources


def bundle_identifier(reading: UUID, version: int) -> Json:
    """What the Bundle of a version of a reading is called; docs/contract says so as well."""
    return {"system": URI, "value": f"urn:uuid:{uuid5(reading, f'bundle:{version}')}"}


def _parsed(body: bytes) -> object:
    try:
        return json.loads(
            body, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once
        )
    except ContractError:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        raise ContractError("body: not JSON") from None


def _no_number(_: str) -> NoReturn:
    raise ContractError("body: NaN and Infinity are not JSON")


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ContractError("body: a name stands twice in one object")
        if value is None:
            raise ContractError("body: a member is null, which FHIR does not know")
        found[name] = value
    return found


def _look_through(element: object, name: str = "") -> None:
    """Nothing that `fhir.resources` would turn into a number may pass for one, and nothing for text
    that a database cannot keep.
    """
    if isinstance(element, str):
        if "\0" in element or not _is_unicode(element):
            raise ContractError("body: text that is no Unicode, or with U+0000 in it")
    elif isinstance(element, list):
        for each in element:
            _look_through(each, name)
    elif isinstance(element, dict):
        for inner, each in element.items():
            if inner == "value" and name.endswith("Quantity") and not _is_number(each):
                raise ContractError(f"body: {name}.value is not a number")
            if inner == "valueInteger" and (not _is_number(each) or isinstance(each, Decimal)):
                raise ContractError("body: valueInteger is not a whole number")
            _look_through(each, inner)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, by an escape
        return False
    return True


def _is_number(value: object) -> bool:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return False
    return abs(Decimal(value).adjusted()) <= MAX_EXPONENT


def _of_gateway(resources: Iterable[Json], gateway: str) -> None:
    """The broker binds the topic to the certificate; the Bundle must name the same gateway."""
    named = [
        each.get("serialNumber")
        for each in resources
        if each["resourceType"] == "Device" and _has_profile(each, "PhgDevice")
    ]
    if named != [gateway]:
        raise ContractError("body: its PhgDevice is not the gateway of the topic")


def _has_profile(resource: Json, name: str) -> bool:
    profiles = resource.get("meta", {}).get("profile", ())
    return any(isinstance(each, str) and each.endswith(f"/{name}") for each in profiles)


def _of_somebody(observations: Iterable[Json]) -> None:
    subjects = {each.get("subject", {}).get("reference") for each in observations}
    if len(subjects) != 1 or None in subjects:
        raise ContractError("body: its Observations are not about one and the same subject")


def _phd(observations: Iterable[Json]) -> Iterator[str]:
    for each in observations:
        for identifier in each.get("identifier", ()):
            if identifier.get("system") == PHD_IDENTIFIER and identifier.get("value"):
                yield identifier["value"]


def _digest(observations: Iterable[Json]) -> str:
    """Over status, MDC codes, values, units and reasons of absence alone.

    Times are left out: two gateways measure a meter's clock a second apart.
    """
    told = sorted(json.dumps(_told(each), sort_keys=True) for each in observations)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _told(observation: Json) -> Json:
    parts = sorted(json.dumps(_value(each)) for each in observation.get("component", ()))
    return {"status": observation["status"], "own": _value(observation), "parts": parts}


def _value(element: Json) -> list[object]:
    quantity = element.get("valueQuantity", {})
    number = quantity.get("value")
    return [
        _code(element),
        None if number is None else str(Decimal(number).normalize()),
        quantity.get("code"),
        _words(element.get("valueCodeableConcept", {})),
        _words(element.get("dataAbsentReason", {})),
    ]


def _words(concept: Json) -> list[object]:
    return [concept.get("text"), *(each.get("code") for each in concept.get("coding", ()))]


def _code(element: Json) -> str:
    codings = element.get("code", {}).get("coding", ())
    return next((each.get("code", "") for each in codings if each.get("system") == MDC), "")
