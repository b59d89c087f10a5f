"""Where the facts stand in a gateway's Bundle; pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from backend.fut import codes
from backend.onward_json import Json

URI = "urn:ietf:rfc:3986"
GATEWAY = "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice"
SYNC_PROTOCOL, NO_SYNC = "68220", "532224"  # MDC_TIME_SYNC_PROTOCOL, MDC_TIME_SYNC_NONE


def observations(bundle: Json) -> Iterator[Json]:
    """But for the pair of clocks, which is about the meter."""
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Observation" and mdc(resource) != codes.TIMESTAMP:
            yield resource


def effective(observation: Json) -> str:
    """Empty if it is unknown."""
    return str(observation.get("effectiveDateTime", ""))


def pairs(element: Json) -> Sequence[tuple[str, str]]:
    codings = element.get("code", {}).get("coding", ())
    return [(each.get("system", ""), each.get("code", "")) for each in codings]


def mdc(element: Json) -> str:
    return next((code for system, code in pairs(element) if system == codes.MDC), "")


def has_code(observation: Json, mdc: str) -> bool:
    return (codes.MDC, mdc) in pairs(observation)


def simulated(observation: Json) -> bool:
    labels = observation.get("meta", {}).get("security", ())
    return any(label.get("code") == "HTEST" for label in labels)


def withdrawn(bundle: Json) -> bool:
    """Whether somebody has taken all of it back."""
    states = {each.get("status") for each in observations(bundle)}
    return states == {"entered-in-error"}


def withdrawn_in_part(bundle: Json) -> bool:
    return any(each.get("status") == "entered-in-error" for each in observations(bundle))


def about_devices(bundle: Json) -> bool:
    """Whether it holds nothing but Devices."""
    return {entry["resource"]["resourceType"] for entry in bundle["entry"]} == {"Device"}


def gateway(observation: Json) -> str | None:
    """The reference to the gateway that passed it on."""
    references = (
        extension.get("valueReference", {}).get("reference")
        for extension in observation.get("extension", ())
        if extension.get("url") == GATEWAY
    )
    return next(references, None)


def own(resource: Json) -> str | None:
    """The identifier that a gateway gives to each resource: a UUID as a URI."""
    names = (str(i.get("value")) for i in resource.get("identifier", ()) if i.get("system") == URI)
    return next((name for name in names if _is_uuid(name)), None)


def _is_uuid(name: str) -> bool:
    try:
        return name == f"urn:uuid:{UUID(name)}"
    except ValueError:
        return False


def _token(identifier: Json) -> str:
    return f"{identifier.get('system', '')}|{identifier.get('value', '')}"


def subject(observation: Json, bundle: Json) -> str | None:
    reference = str(observation.get("subject", {}).get("reference", ""))
    query = dict(parse_qsl(urlsplit(reference).query))
    if reference.startswith("Patient?") and "identifier" in query:
        return query["identifier"]
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if entry.get("fullUrl") == reference and resource["resourceType"] == "Patient":
            return next((_token(each) for each in resource.get("identifier", ())), None)
    return reference or None


def synchronised(bundle: Json) -> bool:
    """Whether no Device in it says that it lets nobody set its clock."""
    return not any(
        (codes.MDC, NO_SYNC) in pairs({"code": value})
        for entry in bundle["entry"]
        for own in entry["resource"].get("property", ())
        if (codes.MDC, SYNC_PROTOCOL) in pairs({"code": own.get("type", {})})
        for value in own.get("valueCode", ())
    )


def is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
