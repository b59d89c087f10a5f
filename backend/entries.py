"""What the entries of a Bundle ask a FHIR server to do; pure.

The Bundle is handed on with the rights of the receiver. So it may ask for no more than a gateway
has to: to create what its reading is made of, found by a name of its own (FHIR R4, 3.1.0.8.1,
conditional create), and to put a later version of it in the place of an earlier one.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from gateway.contract import DEVICE, ContractError

URI = "urn:ietf:rfc:3986"  # the system of an identifier that is itself a URI
URN = "urn:uuid:"

# What may be asked for, by the type of the resource.
_FIRST = {"Device": {"POST"}, "Observation": {"POST"}, "Patient": {"POST"}}
_LATER = _FIRST | {"Observation": {"POST", "PUT"}}
_ANNOUNCED = {"Device": {"PUT"}}

# A logical id, or a conditional reference.
_BY_NAME = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}|Patient\?identifier=[^&+#]+")

Json = Mapping[str, Any]


def check(entries: Sequence[Json], version: int, about: str) -> None:
    """Raises ContractError; the text names the place and quotes nothing.

    *entries*: FHIR by its form. *version* and *about*: of the message.
    """
    allowed = _LATER if version > 1 else _FIRST
    if about == DEVICE:
        allowed = _ANNOUNCED
    places: set[str] = set()
    names: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(entries):
        try:
            _check(entry, allowed)
            name = (entry["resource"]["resourceType"], *own(entry["resource"]))
            if name in names or entry["fullUrl"] in places:
                raise ContractError("stands in the Bundle twice")  # noqa: TRY301
        except ContractError as error:
            raise ContractError(f"body: entry.{number}: {error}") from None
        names.add(name)
        places.add(entry["fullUrl"])


def _check(entry: Json, allowed: Mapping[str, Collection[str]]) -> None:
    if set(entry) != {"fullUrl", "resource", "request"}:
        raise ContractError("expected fullUrl, resource and request, and nothing else")
    resource, request = entry["resource"], entry["request"]
    kind, method = resource.get("resourceType"), request.get("method")
    if kind not in allowed:
        raise ContractError(f"expected one of {', '.join(allowed)}")
    if method not in allowed[kind]:
        raise ContractError("request: neither creates nor brings a later version")
    if "id" in resource:
        raise ContractError("it has an id, which the server gives")
    if not _is_urn(entry["fullUrl"]):
        raise ContractError("fullUrl: not urn:uuid: and a UUID")
    expected = {"method": method, "url": kind, "ifNoneExist": request.get("ifNoneExist")}
    search = request.get("ifNoneExist", "")
    if method == "PUT":
        search = request["url"].removeprefix(f"{kind}?")
        expected = {"method": method, "url": f"{kind}?{search}"}
    if request != expected or not _finds(search, *own(resource)):
        raise ContractError("request: not for what its own identifier finds")


def own(resource: Json) -> tuple[str, str]:
    """System and value by which a server is to know it again. Raises ContractError."""
    found = [(each.get("system"), each.get("value")) for each in resource.get("identifier", ())]
    if resource["resourceType"] != "Patient":
        found = [(system, value) for system, value in found if system == URI]
    if len(found) != 1 or None in found[0]:
        raise ContractError("it has no identifier of its own, or several")
    ((system, value),) = found
    if resource["resourceType"] != "Patient" and not _is_urn(value):
        raise ContractError("its own identifier is not urn:uuid: and a UUID")
    return system, value


def _is_urn(text: str) -> bool:
    try:
        return text == f"{URN}{UUID(text.removeprefix(URN))}"
    except ValueError:
        return False


def _finds(search: str, system: str, value: str) -> bool:
    """Whether *search* is a token search (FHIR R4, 3.1.1.4.10) for that identifier, and no more."""
    if not set("&+#").isdisjoint(search):  # what a query may contain beside the one search
        return False
    return unquote(search) == f"identifier={_escaped(system)}|{_escaped(value)}"


def _escaped(text: str) -> str:
    """By the backslash of FHIR R4, 3.1.1.4.3."""
    return "".join(f"\\{char}" if char in "\\|,$" else char for char in text)


def about_one_person(entries: Sequence[Json], observations: Iterable[Json]) -> None:
    """All of *observations* have one subject, and that is a Patient. Raises ContractError."""
    subjects = {each.get("subject", {}).get("reference") for each in observations}
    if len(subjects) != 1 or None in subjects:
        raise ContractError("body: its Observations are not about one and the same subject")
    (whom,) = subjects
    patients = _places(entries, "Patient")
    if patients != [whom] if patients else not _BY_NAME.fullmatch(whom):
        raise ContractError("body: its subject is not one Patient")


def about_devices(entries: Sequence[Json], observations: Iterable[Json]) -> None:
    """Each of *observations* has a Device of the Bundle for a subject. Raises ContractError."""
    devices = _places(entries, "Device")
    if any(each.get("subject", {}).get("reference") not in devices for each in observations):
        raise ContractError("body: a pair of clocks is not that of a Device in the Bundle")


def _places(entries: Iterable[Json], kind: str) -> list[str]:
    """The fullUrls of the resources of that type."""
    return [each["fullUrl"] for each in entries if each["resource"]["resourceType"] == kind]
