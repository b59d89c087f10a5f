"""A Bundle as it came, read with suspicion; pure.

Stricter than `fhir.resources`, which takes "128" for a number and the last of two members of one
name for the only one. A parse, not a validation: profiles and code lists are proved elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn, Self
from uuid import UUID, uuid5

from backend import entries
from backend.elements import check_text, look_through
from backend.entries import URI
from backend.parse import Parser
from gateway.contract import DEVICE, OBSERVATION, ContractError, gateway_name, meter_name

MAX_BODY = 262_144  # octets, as at the broker; a Bundle is a few thousand

MDC = "urn:iso:std:iso:11073:10101"
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
    at: int | None = None  # when it was measured, in seconds since 1970; None: nobody knows

    @property
    def text(self) -> str:
        """For a store, which finds measurements again by their identifiers."""
        return self.digest if self.at is None else f"{self.digest}@{self.at}"

    @classmethod
    def of(cls, text: str) -> Self:
        digest, _, at = text.partition("@")
        return cls(digest, at=int(at) if at else None)


def examine(
    body: bytes, reading: UUID, version: int, gateway: str, about: str = OBSERVATION
) -> Contents:
    """Raises ContractError if *body* is no Bundle of that reading by that gateway.

    *about*: the `type` of the message; of a DEVICE *reading* is the name. The text names elements
    and quotes nothing of what stands in them.
    """
    if len(body) > MAX_BODY:
        raise ContractError(f"body: expected at most {MAX_BODY} octets, got {len(body)}")
    text = _decoded(body)
    bundle = _transaction(_parsed(text))
    if "\\u" in text:
        check_text(bundle)
    _parser.check(bundle)
    if bundle.get("identifier") != bundle_identifier(reading, version):
        raise ContractError("body: its identifier is not that of the reading and its version")
    entries.check(bundle["entry"], version, about)
    resources = [each["resource"] for each in bundle["entry"]]
    if about == DEVICE:
        return _device(resources, reading, gateway)
    _of_gateway(resources, gateway)
    _of_meters(resources)
    observations = [each for each in resources if each["resourceType"] == "Observation"]
    if any(each.get("status") not in STATUSES for each in observations):
        raise ContractError("body: an Observation has a status that FHIR does not know")
    measured = [each for each in observations if _code(each) != TIMESTAMP]
    clocks = [each for each in observations if _code(each) == TIMESTAMP]
    entries.about_one_person(bundle["entry"], measured)
    entries.about_devices(bundle["entry"], clocks)
    moments = {_moment(each) for each in measured}
    at = moments.pop() if len(moments) == 1 else None
    return Contents(_digest(measured), tuple(sorted(set(_phd(measured)))), at)


def _device(resources: Sequence[Json], name: UUID, gateway: str) -> Contents:
    """A gateway may speak for any meter, which may have moved; of gateways for itself alone."""
    if [each["resourceType"] for each in resources] != ["Device"]:
        raise ContractError("body: not one Device, and nothing else")
    (resource,) = resources
    if entries.own(resource) != (URI, f"urn:uuid:{name}"):
        raise ContractError("body: it does not update the Device that its properties name")
    if _has_profile(resource, "PhgDevice"):
        _of_gateway(resources, gateway)
    elif not _has_profile(resource, "PhdDevice"):
        raise ContractError("body: its Device is neither a meter nor a gateway")
    else:
        _of_meters(resources)
    text = json.dumps(resource, sort_keys=True, default=str)
    return Contents(f"{OF_DEVICE} {hashlib.sha256(text.encode()).hexdigest()}")


def _transaction(bundle: object) -> Json:
    """*bundle*, found to be a transaction Bundle, of which more is to be asked."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise ContractError("body: not a FHIR Bundle")
    if bundle.get("type") != "transaction" or not bundle.get("entry"):
        raise ContractError("body: not a transaction Bundle with entries")
    look_through(bundle)
    return bundle


def bundle_identifier(reading: UUID, version: int) -> Json:
    """What the Bundle of a version of a reading is called; docs/contract says so as well."""
    return {"system": URI, "value": f"urn:uuid:{uuid5(reading, f'bundle:{version}')}"}


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:  # RFC 8259, 8.1: JSON is UTF-8
        raise ContractError("body: not JSON") from None


def _parsed(text: str) -> object:
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once
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


def _of_gateway(resources: Iterable[Json], gateway: str) -> None:
    """The broker binds the topic to the certificate; the Bundle must name the same gateway."""
    named = [
        (each.get("serialNumber"), _own(each))
        for each in resources
        if each["resourceType"] == "Device" and _has_profile(each, "PhgDevice")
    ]
    if named != [(gateway, f"urn:uuid:{gateway_name(gateway)}")]:
        raise ContractError("body: its PhgDevice is not the gateway of the topic")


def _of_meters(resources: Iterable[Json]) -> None:
    """A meter is called by its own System ID or address, and never what another Device is."""
    for each in resources:
        if each["resourceType"] != "Device" or _has_profile(each, "PhgDevice"):
            continue
        ids = [it.get("value", "") for it in each.get("identifier", ()) if it.get("type")]
        names = {f"urn:uuid:{meter_name(value.replace('-', ''))}" for value in ids}
        if _own(each) not in names:
            raise ContractError("body: a Device is not called by its System ID or address")


def _own(resource: Json) -> str | None:
    """The identifier by which it is found: ours, the first."""
    first: Json = next(iter(resource.get("identifier", ())), {})
    return first.get("value") if first.get("system") == URI else None


def _has_profile(resource: Json, name: str) -> bool:
    profiles = resource.get("meta", {}).get("profile", ())
    return any(isinstance(each, str) and each.endswith(f"/{name}") for each in profiles)


def _moment(observation: Json) -> int | None:
    """When it was measured, as in `Contents`."""
    try:
        moment = datetime.fromisoformat(observation.get("effectiveDateTime", ""))
        return None if moment.tzinfo is None else int(moment.astimezone(UTC).timestamp())
    except ValueError:  # not known; or not to the second
        return None
    except OverflowError:
        raise ContractError("body: an effectiveDateTime that UTC has no date for") from None


def _phd(observations: Iterable[Json]) -> Iterator[str]:
    for each in observations:
        for identifier in each.get("identifier", ()):
            if identifier.get("system") == PHD_IDENTIFIER and identifier.get("value"):
                yield identifier["value"]


def _digest(observations: Iterable[Json]) -> str:
    """Over status, MDC codes, values, units and reasons of absence alone.

    Times are left out: two gateways measure a meter's clock a second apart (`Contents.at`).
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
