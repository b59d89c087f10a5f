"""What a citizen's care plans ask for at a moment: the rows of `$get-patient-procedures`; pure.

Source: FUT's IG, OperationDefinition -s-get-patient-procedures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.onward_json import Json

EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TIMING_TYPES = ("Resolved", "Unresolved", "Adhoc", "Extra")


@dataclass(frozen=True, slots=True)
class Activity:
    """One active ServiceRequest at one time slot. `start` and `end` as FUT wrote them."""

    service_request: str  # absolute URL, and of the version that the slot belongs to
    version: str
    codes: frozenset[tuple[str, str]]  # system, code
    episode: str
    timing: str  # one of TIMING_TYPES
    start: str | None = None
    end: str | None = None

    def distance(self, moment: datetime) -> timedelta:
        """How far *moment* lies outside the slot; nothing inside, or where there is no slot."""
        if self.start is None or self.end is None:
            return timedelta(0)
        start, end = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        return max(start - moment, moment - end, timedelta(0))


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


def activities(answer: Json, patient: str) -> tuple[Activity, ...]:
    """The rows that are active and about *patient* (absolute URL). Raises NoPlan."""
    try:
        resources = [entry["resource"] for entry in answer.get("entry", ())]
        requests = {
            each["id"]: each for each in resources if each["resourceType"] == "ServiceRequest"
        }
        rows = [each for each in resources if each["resourceType"] == "Parameters"]
        return tuple(
            activity
            for parameters in rows
            for row in parameters.get("parameter", ())
            for activity in _activity(row, requests, patient)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NoPlan(f"an answer without what it must have: {type(error).__name__}") from error


def _activity(row: Json, requests: dict[str, Json], patient: str) -> Iterator[Activity]:
    parts = {part["name"]: part for part in row.get("part", ())}
    if "ServiceRequest" not in parts:
        return
    url = parts["ServiceRequest"]["valueReference"]["reference"]
    request = requests.get(url.rsplit("/", 1)[-1])
    if request is None or request.get("status") != "active":
        return
    if request["subject"]["reference"] != patient:
        return  # never somebody else's plan
    timing = parts["TimingType"]["valueCodeableConcept"]["coding"][0]["code"]
    if timing not in TIMING_TYPES:
        return
    start = end = None
    if timing == "Resolved":
        start = parts["ResolvedTimingStart"]["valueDateTime"]
        # A slot without a length has a start alone; FUT's own client takes the start for the end.
        end = parts.get("ResolvedTimingEnd", {}).get("valueDateTime", start)
        _aware(start)
        _aware(end)
    (episode,) = (e for e in request["extension"] if e["url"] == EPISODE)
    yield Activity(
        service_request=url,
        version=parts["ServiceRequestVersionId"]["valueId"],
        codes=frozenset(
            (coding.get("system", ""), coding["code"])
            for coding in request.get("code", {}).get("coding", ())
            if "code" in coding
        ),
        episode=episode["valueReference"]["reference"],
        timing=timing,
        start=start,
        end=end,
    )


def _aware(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a slot without a zone")
