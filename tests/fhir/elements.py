"""How the rules look into a resource."""

import re
from typing import Any

Json = dict[str, Any]

MDC = "urn:iso:std:iso:11073:10101"
LOINC = "http://loinc.org"
PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/"


def codings(concept: Json, system: str) -> list[str]:
    return [coding["code"] for coding in concept.get("coding", []) if coding["system"] == system]


def values(element: Json) -> list[str]:
    return [name for name in element if re.match(r"value[A-Z]", name)]


def extensions(resource: Json, url: str) -> list[Json]:
    return [found for found in resource.get("extension", []) if found["url"] == url]


def profiles(observation: Json) -> set[str]:
    return {url.removeprefix(PHD) for url in observation["meta"]["profile"]}
