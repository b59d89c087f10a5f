"""How the rules look into a resource."""

import re
from typing import Any

Json = dict[str, Any]

MDC = "urn:iso:std:iso:11073:10101"
LOINC = "http://loinc.org"
PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
GATEWAY_TYPE = "531981"
BY_CLAIM = {
    "PhdDevice": "PhdDevice",
    "PhgDevice": "PhgDevice",
    "PhdPatient": "Patient",
    "PhdCoincidentTimeStampObservation": "timestamp",
}


def codings(concept: Json, system: str) -> list[str]:
    return [c["code"] for c in concept.get("coding", []) if c.get("system") == system]


def values(element: Json) -> list[str]:
    return [name for name in element if re.match(r"value[A-Z]", name)]


def extensions(resource: Json, url: str) -> list[Json]:
    return [found for found in resource.get("extension", []) if found["url"] == url]


def profiles(observation: Json) -> set[str]:
    return {url.removeprefix(PHD) for url in observation["meta"]["profile"]}


def kind(resource: Json) -> str:
    """PhdDevice, PhgDevice, Patient, timestamp or observation: by its claim, else by its type."""
    for url in resource.get("meta", {}).get("profile", []):
        if url.removeprefix(PHD) in BY_CLAIM:
            return BY_CLAIM[url.removeprefix(PHD)]
    if resource.get("resourceType") == "Device":
        gateway = codings(resource.get("type", {}), MDC) == [GATEWAY_TYPE]
        return "PhgDevice" if gateway else "PhdDevice"
    return str(resource.get("resourceType", "")).replace("Observation", "observation")
