"""What FUT refuses at `$submit-measurement`, under the names that it publishes.

The texts are what its list of systematic error messages says of each, shortened to what a client
can hold on to.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fut.plans import Row

SUBMIT = "MEASUREMENT_SUBMITMEASUREMENT_"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
PROFILE = "http://ehealth.sundhed.dk/fhir/StructureDefinition"

TEXTS: Mapping[str, str] = {
    f"{SUBMIT}INVALID_OBSERVATION_CODE": "Observation.code does not match the code of the"
    " referenced ServiceRequest with id 4001.",
    f"{SUBMIT}PROCEDURE_REQUEST_IS_NOT_ACTIVE": "Procedure request with id:[4001] is not active.",
    f"{SUBMIT}INVALID_RESOLVED_TIMING": "ResolvedTiming must have either type=Resolved and"
    " start/end or type=Unresolved/Adhoc/Extra and no start/end",
    f"{SUBMIT}INVALID_STATUS": f"{SUBMIT}INVALID_STATUS",
    f"{SUBMIT}INPUT_FOR_DIFFERENT_PATIENTS": "The resources provided are for different patients.",
    f"{SUBMIT}INPUT_NOT_PART_OF_SAME_EPISODEOFCARE": "The resources provided are not all part of"
    " the same episode of care.",
    f"{SUBMIT}DIFFERENT_PATIENT_REFERENCE": "The patient referenced by the EpisodeOfCare is"
    " different than the patient referenced by the provided resources",
    f"{SUBMIT}INPUT_SHOULD_REFERENCE_PATIENT": "Input resources of type EHealthObservation,"
    " EHealthMedia and EHealthQuestionnaireResponse should reference a patient.",
    f"{SUBMIT}INPUT_SHOULD_REFERENCE_EPISODEOFCARE": "Input resources of type EHealthObservation,"
    " EHealthMedia and EHealthQuestionnaireResponse should reference an episode of care.",
    f"{SUBMIT}MORE_THAN_ONE_DEVICE_QUALITY": "Only one device quality allowed for each"
    " observation/media",
    f"{SUBMIT}EMPTY_INPUT_BUNDLE": "The input bundle does not contain any resources.",
    f"{SUBMIT}INPUT_BUNDLE_CONTAINS_INVALID_RESOURCES": "The input bundle contains resources which"
    " are not of type EHealthObservation, EHealthMedia, EHealthQuestionnaireResponse or"
    " EHealthProvenance.",
    "CONTEXT_VALIDATION_EPISODEOFCARE_EXCEPTION": "Episode of care does not match the security"
    " token context",
    "SECURITY_TOKEN_CONTEXT_MISSING": "Security token context missing for user type: SYSTEM",
    "SECURITY_TOKEN_CONTEXT_NOT_ALLOWED": "Security token context not allowed: patient",
    "SECURITY_TOKEN_INSUFFICIENT_PERMISSION": "Insufficient permission for POST for Observation",
    "TASK_MEASUREMENT_VALIDITY_INVALID_MEASUREMENT_REFERENCE": "Expecting ClinicalImpression to"
    " include a single Investigations.",
    "SYSTEM_TAG_UNEXPECTED_TAG": "Resource contains system tag(s), which do not match related"
    " resource.",
}

Json = Mapping[str, Any]


def refusal(parameters: Json, rows: Sequence[Row]) -> str | None:
    """The name of the first error, or None: it is stored."""
    (parameter,) = parameters["parameter"]
    assert parameter["name"] == "measurement"
    bundle = parameter["resource"]
    assert bundle["type"] == "transaction"
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    if not resources:
        return f"{SUBMIT}EMPTY_INPUT_BUNDLE"
    if any(each["resourceType"] != "Observation" for each in resources):
        return f"{SUBMIT}INPUT_BUNDLE_CONTAINS_INVALID_RESOURCES"
    patients = {each.get("subject", {}).get("reference") for each in resources}
    episodes = {
        _extension(each, EPISODE).get("valueReference", {}).get("reference") for each in resources
    }
    if None in patients:
        return f"{SUBMIT}INPUT_SHOULD_REFERENCE_PATIENT"
    if None in episodes:
        return f"{SUBMIT}INPUT_SHOULD_REFERENCE_EPISODEOFCARE"
    if len(patients) > 1:
        return f"{SUBMIT}INPUT_FOR_DIFFERENT_PATIENTS"
    if len(episodes) > 1:
        return f"{SUBMIT}INPUT_NOT_PART_OF_SAME_EPISODEOFCARE"
    found = (_of_one(each, rows) for each in resources)
    return next((name for name in found if name), None)


def _of_one(observation: Json, rows: Sequence[Row]) -> str | None:
    if observation["status"] != "final":
        return f"{SUBMIT}INVALID_STATUS"
    if any(tag for tag in observation.get("meta", {}).get("tag", ())):
        return "SYSTEM_TAG_UNEXPECTED_TAG"
    qualities = [e for e in observation["extension"] if e["url"] == f"{PROFILE}/ehealth-quality"]
    if sum("DMQ" in str(each) for each in qualities) > 1:
        return f"{SUBMIT}MORE_THAN_ONE_DEVICE_QUALITY"
    (order,) = observation["basedOn"]
    based = [row for row in rows if order["reference"].endswith(f"/ServiceRequest/{row.request}")]
    if not based or based[0].status != "active":
        return f"{SUBMIT}PROCEDURE_REQUEST_IS_NOT_ACTIVE"
    if observation["subject"]["reference"] != based[0].patient:
        return f"{SUBMIT}DIFFERENT_PATIENT_REFERENCE"
    pairs = {(coding["system"], coding["code"]) for coding in observation["code"]["coding"]}
    if based[0].wanted not in pairs:
        return f"{SUBMIT}INVALID_OBSERVATION_CODE"
    return _timing(_extension(observation, f"{PROFILE}/ehealth-resolved-timing"))


def _timing(extension: Json) -> str | None:
    parts = {part["url"]: part for part in extension.get("extension", ())}
    kind = parts["type"]["valueCodeableConcept"]["coding"][0]["code"]
    ends = ("start" in parts, "end" in parts)
    good = ends == ((True, True) if kind == "Resolved" else (False, False))
    return None if good else f"{SUBMIT}INVALID_RESOLVED_TIMING"


def _extension(resource: Json, url: str) -> Json:
    return next((e for e in resource.get("extension", ()) if e["url"] == url), {})


def invalid(parameters: Json) -> str | None:
    """The Observation that `$set-measurement-validity` is about; None: it is refused."""
    (parameter,) = parameters["parameter"]
    assert parameter["name"] == "clinicalImpression"
    impression = parameter["resource"]
    assert impression["status"] == "completed"
    assert impression["code"]["coding"][0]["code"] == "MeasurementValidityUpdate"
    decision = _extension(impression, f"{PROFILE}/ehealth-clinicalimpression-decision")
    (coding,) = decision["valueCodeableConcept"]["coding"]
    assert coding["code"] in {"invalidated-fulfills", "invalidated-is-not-fulfillment"}
    (finding,) = impression["finding"]
    assert finding["itemCodeableConcept"]["coding"][0]["code"] == "measurement-invalidated"
    assert "valueReference" in _extension(impression, EPISODE)
    (investigation,) = impression["investigation"]
    versioned, bare = (each["reference"] for each in investigation["item"])
    return bare.rsplit("/", 1)[-1] if versioned == f"{bare}/_history/1" else None
