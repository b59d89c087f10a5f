"""The rules of PhdCoincidentTimeStampObservation: two clocks that were read at once."""

from collections.abc import Iterator

from tests.fhir.elements import MDC, PHD, Json, codings, values
from tests.fhir.observation_rules import is_moment
from tests.fhir.value_rules import ABSENT

CLOCKS = {"67975", "68226", "67983", "68072"}  # PHD's value set MDCClockTypes
ELEMENTS = {  # what the gateway says of it; the profile forbids focus, specimen, derivedFrom ...
    *("resourceType", "meta", "identifier", "status", "code", "subject", "effectiveDateTime"),
    *("valueDateTime", "dataAbsentReason", "device"),
}


def timestamp_claims(o: Json) -> Iterator[str]:
    if o["meta"]["profile"] != [f"{PHD}PhdCoincidentTimeStampObservation"]:
        yield f"{o['meta']['profile']}"


def clock_pair(o: Json) -> Iterator[str]:
    """Ours is known; the meter's is, or is said to be unknown."""
    if o["status"] != "final":
        yield o["status"]
    told = values(o)
    if "dataAbsentReason" in o:
        if told or codings(o["dataAbsentReason"], ABSENT) != ["unknown"]:
            yield "a clock that is both known and unknown"
    elif told != ["valueDateTime"]:
        yield f"{told}"
    for moment in (o["effectiveDateTime"], o.get("valueDateTime")):
        if moment is not None and not is_moment(moment):
            yield f"{moment}"


def nothing_else(o: Json) -> Iterator[str]:
    if more := set(o) - ELEMENTS:
        yield f"{sorted(more)}"
    if len(o["identifier"]) != 1:
        yield "more than our identifier"
    for name in ("subject", "device"):
        if set(o[name]) != {"reference"}:
            yield f"{name} {o[name]}"


def clock_type(o: Json) -> Iterator[str]:
    told = codings(o["code"], MDC)
    if len(told) != 1 or not CLOCKS.issuperset(told) or len(o["code"]["coding"]) != 1:
        yield f"{told}"


TIMESTAMP = (timestamp_claims, clock_pair, nothing_else, clock_type)
