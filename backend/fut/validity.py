"""Taking back what FUT has: `$set-measurement-validity` of its task server; pure.

Source: FUT's IG, OperationDefinition ClinicalImpression-t-set-measurement-validity, its example,
and the profile ehealth-clinicalimpression. Observations are not changed by those who sent them: a
statement that one is invalid makes FUT set its status to `entered-in-error`.
"""

from dataclasses import dataclass

from backend.fut import answers
from backend.fut.observation import EHEALTH, PROFILE
from backend.fut.plan import EPISODE
from backend.onward import TryAgain, Undeliverable
from backend.onward_answer import Answer
from backend.onward_json import Json, part, word

INVALID = "entered-in-error"
# It was no measurement of this citizen: the plan still waits for one.
DECISION = "invalidated-is-not-fulfillment"


@dataclass(frozen=True, slots=True)
class Found:
    """An Observation as FUT shows it. *url*: absolute, without a version."""

    url: str
    version: str
    status: str


def found(entry: Json, measurement: str) -> Found:
    """From an entry of a search at the server *measurement*."""
    resource = part(entry, "resource")
    version = word(part(resource, "meta"), "versionId")
    name = word(resource, "id")
    return Found(f"{measurement}/Observation/{name}", version, word(resource, "status"))


def statement(observation: Found, patient: str, episode: str) -> Json:
    """The body of the call."""
    items = (f"{observation.url}/_history/{observation.version}", observation.url)
    impression = {
        "resourceType": "ClinicalImpression",
        "meta": {"profile": [f"{PROFILE}/ehealth-clinicalimpression"]},
        "extension": [
            {"url": EPISODE, "valueReference": {"reference": episode}},
            {
                "url": f"{PROFILE}/ehealth-clinicalimpression-decision",
                "valueCodeableConcept": _coded("clinicalimpression-decision-codes", DECISION),
            },
        ],
        "status": "completed",
        "code": _coded("clinicalimpression-codes", "MeasurementValidityUpdate"),
        "subject": {"reference": patient},
        "investigation": [
            {
                "code": _coded(
                    "clinicalimpression-investigation-item-codes", "item-for-investigation"
                ),
                "item": [{"reference": each} for each in items],
            }
        ],
        "finding": [
            {
                "itemCodeableConcept": _coded(
                    "clinicalimpression-finding-codes", "measurement-invalidated"
                )
            }
        ],
    }
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "clinicalImpression", "resource": impression}],
    }


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{EHEALTH}/cs/{system}", "code": code}]}


def judge(answer: Answer, said: str) -> None:
    """Return if it was taken. Raises TryAgain and Undeliverable: before it is tried again the
    Observation is looked at, so an answer that was lost does no harm.
    """
    errors = answer.errors()
    if answer.good and not errors:
        if answer.body is None:
            raise TryAgain(said)
        return
    if answer.status in {401, 403} or answers.token_refused(answer):
        raise TryAgain(f"{said}: check the token, its rights and its context")
    if 300 <= answer.status < 400 or (answer.status in answers.ADDRESS and not errors):
        raise TryAgain(f"{said}: check its address")
    if answer.status in {408, 409, 425, 429} or answer.status >= 500:
        raise TryAgain(said)
    raise Undeliverable(f"{said}: to be invalidated there by hand")
