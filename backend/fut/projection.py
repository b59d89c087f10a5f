"""From a gateway's Bundle and a care plan to what `$submit-measurement` takes; pure.

Source: FUT's IG, OperationDefinition -s-submit-measurement: one call is one person, one episode of
care, and what belongs to one resolved timing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.fut import codes
from backend.fut.choice import asked
from backend.fut.measured import Measured, Measurement, NotForFut, Part
from backend.fut.observation import observation
from backend.fut.people import Person
from backend.fut.plan import Activity
from backend.onward_json import Json


@dataclass(frozen=True, slots=True)
class Sought:
    """By what one submitted Observation is found again. It holds no measured value."""

    identifier: str
    patient: str
    code: str  # system|code
    moment: datetime
    based_on: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One call: one person, one episode, one resolved timing."""

    episode: str
    parameters: Json
    sought: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """`left_out`: what is not sent, and why, without its values."""

    submissions: tuple[Submission, ...]
    left_out: tuple[str, ...]


def project(
    reading: Measured,
    plan: Sequence[Activity],
    person: Person,
    already: frozenset[str] = frozenset(),
) -> Projection:
    """*already*: identifiers of Observations that FUT has. Raises NotForFut if the plan asks for
    nothing of it.
    """
    allowed = [each for each in plan if not person.episodes or each.episode in person.episodes]
    left_out = list(reading.left_out)
    groups: dict[tuple[str, ...], list[tuple[Json, Sought]]] = {}
    asked_for = False
    for measurement in reading.measurements:
        if _is_there(measurement, already):
            asked_for = True
            continue
        try:
            found = list(asked(measurement, allowed))
        except NotForFut as error:
            left_out.append(f"{_name(measurement)}: {error}")
            continue
        asked_for = True
        for activity, own, part in found:
            resource = observation(measurement, part, own, activity, person)
            groups.setdefault(activity.call, []).append(
                (resource, _sought(measurement, part, own, activity, person))
            )
    if not asked_for:
        raise NotForFut("the care plan asks for none of it (" + "; ".join(left_out) + ")")
    return Projection(
        tuple(_submission(key[0], entries) for key, entries in groups.items()), tuple(left_out)
    )


def _is_there(measurement: Measurement, already: frozenset[str]) -> bool:
    """In whatever shape it was sent: the order may be another one since."""
    alone = {measurement.alone(part) for part in measurement.parts}
    return measurement.identifier in already or not already.isdisjoint(alone)


def _sought(
    measurement: Measurement, part: Part | None, own: str, activity: Activity, person: Person
) -> Sought:
    system, code = codes.PANEL if part is None else part.code.pair
    moment = measurement.moment.astimezone(UTC)
    return Sought(own, person.patient, f"{system}|{code}", moment, activity.service_request)


def _submission(episode: str, entries: Iterable[tuple[Json, Sought]]) -> Submission:
    pairs = list(entries)
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": sought.identifier,
                "resource": resource,
                "request": {"method": "POST", "url": "Observation"},
            }
            for resource, sought in pairs
        ],
    }
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "measurement", "resource": bundle}],
    }
    return Submission(episode, parameters, tuple(sought for _, sought in pairs))


def _name(measurement: Measurement) -> str:
    return "blood pressure" if measurement.panel else measurement.parts[0].code.code
