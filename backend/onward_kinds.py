"""A Bundle without the kinds of measurement that are not meant for a party; pure.

What a meter is goes to whom its measurements go.

Kinds by MDC code (IEEE 11073-10101), status and context too. What is derived from a measurement
goes where that goes.
"""

from collections.abc import Collection, Iterable, Mapping

from backend.onward_json import Json, octets, parsed, part, parts, word

MDC = "urn:iso:std:iso:11073:10101"
TIMESTAMP = "67975"  # the pair of clocks: about the meter, for everybody

_CODES: Mapping[str, tuple[str, ...]] = {
    "blood-pressure": ("150020", "149546", "8410608"),  # with the pulse that a cuff counts
    "oxygen": ("150456", "149530", "150448", "150604"),  # with pulse and perfusion by an oximeter
    "glucose": (
        *("160020", "160184", "160188", "160192", "160196", "160200", "160204"),
        *("160212", "160364", "160368"),
        *("8417752", "8417764", "8417796", "8417820", "8417844", "8417864", "8417884"),
    ),
    "weight": ("188736", "188740", "188752"),  # with height and body mass index
    "temperature": (
        *("150364", "188420", "188424", "188428", "188432", "188448", "188452", "188456"),
        "150392",
    ),
}
GATEWAY = "gateway"
_DEVICES: Mapping[str, str] = {  # by MDC code of the specialization
    "528391": "blood-pressure",
    "528388": "oxygen",
    "528401": "glucose",
    "528399": "weight",
    "528392": "temperature",
    "528457": GATEWAY,  # for everybody
}
_KIND = {code: kind for kind, codes in _CODES.items() for code in codes}
OTHER = "other"
KINDS = (*_CODES, OTHER)


def kind_of(mdc: str) -> str:
    """One of KINDS."""
    return _KIND.get(mdc, OTHER)


def only(body: bytes, kinds: Collection[str]) -> bytes | None:
    """The Bundle with these *kinds* alone; None if nothing measured is left.

    The very octets if nothing had to go. A word on a meter is for whom its measurements are for,
    one on the gateway for everybody.
    """
    bundle = parsed(body)
    entries = parts(bundle, "entry")
    if entries and all(_is_device(part(entry, "resource")) for entry in entries):
        return body if _kinds_of_device(part(entries[0], "resource")) & {*kinds, GATEWAY} else None
    if not any(_measured(part(entry, "resource")) for entry in entries):
        return body
    kept = [entry for entry in entries if _stays(entry, entries, kinds)]
    if not any(_measured(part(entry, "resource")) for entry in kept):
        return None
    return body if len(kept) == len(entries) else octets({**bundle, "entry": kept})


def _is_device(resource: Json) -> bool:
    return word(resource, "resourceType") == "Device"


def _kinds_of_device(device: Json) -> set[str]:
    """What it measures."""
    types = (part(each, "systemType") for each in parts(device, "specialization"))
    codes = (word(coding, "code") for each in types for coding in parts(each, "coding"))
    return {_DEVICES.get(code, OTHER) for code in codes}


def _stays(entry: Json, entries: Iterable[Json], kinds: Collection[str]) -> bool:
    resource = part(entry, "resource")
    return not _measured(resource) or _kind(resource, entries) in kinds


def _measured(resource: Json) -> bool:
    return word(resource, "resourceType") == "Observation" and _code(resource) != TIMESTAMP


def _kind(observation: Json, entries: Iterable[Json]) -> str:
    of = {word(each, "reference") for each in parts(observation, "derivedFrom")}
    for entry in entries:
        if of and word(entry, "fullUrl") in of:
            return kind_of(_code(part(entry, "resource")))
    return kind_of(_code(observation))


def _code(observation: Json) -> str:
    codings = parts(part(observation, "code"), "coding")
    return next((word(each, "code") for each in codings if word(each, "system") == MDC), "")
