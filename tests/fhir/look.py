"""Looking into the Bundle of a record."""

import json
from typing import Any

from gateway.fhir import render
from gateway.model import Record

Json = dict[str, Any]


def entries(of: Record) -> list[Json]:
    found: list[Json] = json.loads(render(of))["entry"]
    return found


def observations(of: Record) -> dict[str, Json]:
    """The Observations by their MDC code."""
    return {
        entry["resource"]["code"]["coding"][0]["code"]: entry["resource"]
        for entry in entries(of)
        if entry["resource"]["resourceType"] == "Observation"
    }


def systems(concept: Json) -> list[tuple[str, str]]:
    return [(coding["system"], coding["code"]) for coding in concept["coding"]]
