"""FUT's published conformance resources, which are not ours to ship."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

VERSIONS = ("8.0.0", "10.0.0")
EHEALTH = "ehealth.sundhed.dk-ConceptMap-"


def folder(version: str) -> Path:
    """Skips the test where they are not; `FHIR_PACKAGES` names where to look."""
    beside = Path(__file__).parents[3] / "shared" / "fhir"
    found = Path(os.environ.get("FHIR_PACKAGES") or beside) / f"fut-{version}"
    if not found.is_dir():
        pytest.skip(f"FUT's IG {version} is not here: {found} (docs/fut.md)")
    return found


def resource(version: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((folder(version) / f"{name}.json").read_text())
    return found


def concept_map(version: str, name: str) -> Mapping[tuple[str, str], tuple[str, str]]:
    """From system and code to system and code."""
    places = [folder(version) / f"ConceptMap-{prefix}{name}.json" for prefix in ("", EHEALTH)]
    (place,) = [each for each in places if each.exists()]
    return {
        (group["source"], element["code"]): (group["target"], element["target"][0]["code"])
        for group in json.loads(place.read_text())["group"]
        for element in group["element"]
    }


def observation_codes(version: str) -> frozenset[tuple[str, str]]:
    compose = resource(version, "ValueSet-ehealth-observation-codes")["compose"]
    return frozenset(
        (include["system"], concept["code"])
        for include in compose["include"]
        for concept in include["concept"]
    )
