"""What a citizen's care plans ask for at a moment: the rows of `$get-patient-procedures`; pure.

Source: FUT's IG, OperationDefinition -s-get-patient-procedures.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.fut import order as orders
from backend.fut.order import ALWAYS, Codes, Span
from backend.onward_json import Json, part, parts, word

EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TIMING_TYPES = ("Resolved", "Unresolved", "Adhoc", "Extra")

Definitions = Mapping[str, Codes]  # by the URL of an ActivityDefinition
ORDER = re.compile(r"ServiceRequest/[A-Za-z0-9.-]{1,64}")

NONE: Definitions = {}

# What a shape raises that is not meant.
_STRANGE = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True, slots=True)
class Activity:
    """One active ServiceRequest at one time slot. `start` and `end` as FUT wrote them."""

    service_request: str  # absolute URL, and of the version that the slot belongs to
    version: str
    codes: Codes
    episode: str
    timing: str  # one of TIMING_TYPES
    start: str | None = None
    end: str | None = None
    active: tuple[Span, ...] = ()  # when the order was active; nothing, if nobody says
    bounds: Span = ALWAYS  # from when to when it asks for anything

    @property
    def call(self) -> tuple[str, ...]:
        """What is the same goes in one call: episode and resolved timing."""
        return (self.episode, self.timing, self.start or "", self.end or "")

    def distance(self, moment: datetime) -> timedelta:
        """How far *moment* lies outside the slot; nothing inside, or where there is no slot."""
        if self.start is None or self.end is None:
            return timedelta(0)
        start, end = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        return max(start - moment, moment - end, timedelta(0))

    def asked_at(self, moment: datetime) -> bool:
        """Whether it asked for anything at *moment*, and not only since, or once."""
        active = not self.active or any(span.holds(moment) for span in self.active)
        return active and (self.start is not None or self.bounds.holds(moment))


@dataclass(frozen=True, slots=True)
class Plan:
    """`odd`: rows that cannot be used, by their order, and why."""

    activities: tuple[Activity, ...]
    odd: tuple[str, ...] = ()


class NoPlan(Exception):
    """The answer is not one of `$get-patient-procedures`; the text says how."""


def question(patient: str, start: datetime, end: datetime, episodes: Sequence[str]) -> Json:
    """The body of the call."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": patient}},
            {"name": "start", "valueDateTime": start.isoformat(timespec="seconds")},
            {"name": "end", "valueDateTime": end.isoformat(timespec="seconds")},
            *({"name": "episodeOfCare", "valueReference": {"reference": e}} for e in episodes),
            {"name": "extra", "valueBoolean": True},
        ],
    }


def definitions(answer: Json, patient: str) -> tuple[str, ...]:
    """The ActivityDefinitions behind the orders, each once. Raises NoPlan."""
    with _whole():
        found = (
            orders.definition(order)
            for order in _requests(answer).values()
            if orders.counts(order, patient)
        )
        return tuple(dict.fromkeys(url for url in found if url))


def read(answer: Json, patient: str, defined: Definitions = NONE) -> Plan:
    """The rows that are active and about *patient* (absolute URL). Raises NoPlan.

    *defined*: what the ActivityDefinition of an order is called goes before what the order itself
    is called: so FUT's own client does it.
    """
    with _whole():
        requests = _requests(answer)
        rows = [
            row
            for each in _resources(answer)
            if each["resourceType"] == "Parameters"
            for row in each.get("parameter", ())
        ]
    found: list[Activity] = []
    odd: list[str] = []
    for row in rows:  # one that cannot be used hides none of the others
        try:
            found.extend(_activity(row, requests, patient, defined))
        except _STRANGE as error:
            odd.append(f"{_name(row)}: {type(error).__name__}")
    return Plan(tuple(found), tuple(odd))


def _name(row: object) -> str:
    """Of a row, by its order."""
    named = parts(row, "part") if isinstance(row, dict) else []
    order = next((each for each in named if each.get("name") == "ServiceRequest"), {})
    reference = orders.bare(word(part(order, "valueReference"), "reference"))
    return reference if ORDER.fullmatch(reference) else "a row without an order"


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except _STRANGE as error:
        raise NoPlan(f"an answer without what it must have: {type(error).__name__}") from error


def _resources(answer: Json) -> list[Json]:
    return [entry["resource"] for entry in answer.get("entry", ())]


def _requests(answer: Json) -> dict[str, Json]:
    found = (each for each in _resources(answer) if each["resourceType"] == "ServiceRequest")
    return {word(each, "id"): each for each in found}


def definition_codes(resource: Json) -> Codes:
    """Of an ActivityDefinition. Raises NoPlan."""
    with _whole():
        if resource["resourceType"] != "ActivityDefinition":
            raise ValueError("something else")
        return orders.codes(resource.get("code", {}))


def _activity(
    row: Json, requests: dict[str, Json], patient: str, defined: Definitions
) -> Iterator[Activity]:
    told = {each["name"]: each for each in row.get("part", ())}
    if "ServiceRequest" not in told:
        return
    url = told["ServiceRequest"]["valueReference"]["reference"]
    order = requests.get(orders.bare(url).rpartition("/")[2])
    if order is None or not orders.counts(order, patient):
        return
    timing = told["TimingType"]["valueCodeableConcept"]["coding"][0]["code"]
    if timing not in TIMING_TYPES:
        return
    start = end = None
    if timing == "Resolved":
        start = told["ResolvedTimingStart"]["valueDateTime"]
        # A slot without a length has a start alone; FUT's own client takes the start for the end.
        end = told.get("ResolvedTimingEnd", {}).get("valueDateTime", start)
        orders.aware(start)
        orders.aware(end)
    (episode,) = (e for e in order["extension"] if e["url"] == EPISODE)
    yield Activity(
        service_request=url,
        version=told["ServiceRequestVersionId"]["valueId"],
        codes=defined.get(orders.definition(order)) or orders.codes(order.get("code", {})),
        episode=episode["valueReference"]["reference"],
        timing=timing,
        start=start,
        end=end,
        active=tuple(orders.active(order)),
        bounds=orders.bounds(order),
    )
