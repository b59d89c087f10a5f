"""Where the facts stand in a gateway's Bundle; pure."""

from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, datetime
from urllib.parse import parse_qsl
from uuid import UUID

from backend.fut import codes
from backend.onward_json import Json, part, parts, word

URI = "urn:ietf:rfc:3986"
GATEWAY = "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice"
SYNC_PROTOCOL, NO_SYNC = "68220", "532224"  # MDC_TIME_SYNC_PROTOCOL, MDC_TIME_SYNC_NONE


def resources(bundle: Json) -> Iterator[Json]:
    return (part(entry, "resource") for entry in parts(bundle, "entry"))


def observations(bundle: Json) -> Iterator[Json]:
    """But for the pair of clocks, which is about the meter."""
    for resource in resources(bundle):
        if word(resource, "resourceType") == "Observation" and mdc(resource) != codes.TIMESTAMP:
            yield resource


def effective(observation: Json) -> str:
    """Empty if it is unknown."""
    return word(observation, "effectiveDateTime")


def pairs(element: Json) -> Sequence[tuple[str, str]]:
    codings = parts(part(element, "code"), "coding")
    return [(word(each, "system"), word(each, "code")) for each in codings]


def mdc(element: Json) -> str:
    return next((code for system, code in pairs(element) if system == codes.MDC), "")


def has_code(observation: Json, mdc: str) -> bool:
    return (codes.MDC, mdc) in pairs(observation)


def simulated(observation: Json) -> bool:
    labels = parts(part(observation, "meta"), "security")
    return any(word(label, "code") == "HTEST" for label in labels)


def withdrawn(bundle: Json) -> bool:
    """Whether somebody has taken all of it back."""
    states = {word(each, "status") for each in observations(bundle)}
    return states == {"entered-in-error"}


def withdrawn_in_part(bundle: Json) -> bool:
    return any(word(each, "status") == "entered-in-error" for each in observations(bundle))


def about_devices(bundle: Json) -> bool:
    """Whether it holds nothing but Devices."""
    return {word(each, "resourceType") for each in resources(bundle)} == {"Device"}


def gateway(observation: Json) -> str | None:
    """The reference to the gateway that passed it on."""
    references = (
        word(part(extension, "valueReference"), "reference")
        for extension in parts(observation, "extension")
        if word(extension, "url") == GATEWAY
    )
    return next(references, None)


def own(resource: Json) -> str | None:
    """The identifier that a gateway gives to each resource: a UUID as a URI."""
    names = (word(i, "value") for i in parts(resource, "identifier") if word(i, "system") == URI)
    return next((name for name in names if _is_uuid(name)), None)


def _is_uuid(name: str) -> bool:
    try:
        return name == f"urn:uuid:{UUID(name)}"
    except ValueError:
        return False


def _token(identifier: Json) -> str:
    return f"{word(identifier, 'system')}|{word(identifier, 'value')}"


def subject(observation: Json, bundle: Json) -> str | None:
    reference = word(part(observation, "subject"), "reference")
    target, _, query = reference.partition("?")
    asked = dict(parse_qsl(query))
    if target == "Patient" and "identifier" in asked:
        return asked["identifier"]
    for entry in parts(bundle, "entry"):
        resource = part(entry, "resource")
        if word(entry, "fullUrl") == reference and word(resource, "resourceType") == "Patient":
            return next((_token(each) for each in parts(resource, "identifier")), None)
    return reference or None


def synchronised(bundle: Json) -> bool:
    """Whether no Device in it says that it lets nobody set its clock."""
    return not any(
        (codes.MDC, NO_SYNC) in pairs({"code": value})
        for resource in resources(bundle)
        for own in parts(resource, "property")
        if (codes.MDC, SYNC_PROTOCOL) in pairs({"code": own.get("type")})
        for value in parts(own, "valueCode")
    )


def is_moment(text: str) -> bool:
    """One with a zone, and days of the calendar around it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return False
    return found.tzinfo is not None and MINYEAR < found.year < MAXYEAR
