"""The rules for a citizen's entry: PhdPatient, and an opaque identifier alone."""

from collections.abc import Iterator

from tests.fhir.elements import PHD, Json


def patient_claims(patient: Json) -> Iterator[str]:
    if patient["meta"]["profile"] != [f"{PHD}PhdPatient"]:
        yield f"{patient['meta']['profile']}"


def an_identifier_alone(patient: Json) -> Iterator[str]:
    """No name, no address: who it is stands elsewhere."""
    if set(patient) != {"resourceType", "meta", "identifier"}:
        yield f"{sorted(patient)}"
    if [set(identifier) for identifier in patient["identifier"]] != [{"system", "value"}]:
        yield "not one, of a system and a value"


PATIENT = (patient_claims, an_identifier_alone)
