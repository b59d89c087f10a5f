"""R4's vital-signs profiles, which hold for an Observation with one of their LOINC codes.

Without a claim, so that no validator tries them: here each such Observation is taken out of its
Bundle, claims that profile alone, and is held against it.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gateway.fhir.serial import dumps

LOINC = "http://loinc.org"
PROFILES: Mapping[str, str] = {
    "85354-9": "bp",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "29463-7": "bodyweight",
    "8302-2": "bodyheight",
    "39156-5": "bmi",
    "8310-5": "bodytemp",
}
ELSEWHERE = ("extension", "identifier", "derivedFrom", "device")  # lead out of it


def alone(bundle: bytes) -> Iterator[bytes]:
    """The vital signs of a Bundle, each without what tells it from another of its kind."""
    for entry in json.loads(bundle, parse_float=Decimal)["entry"]:
        resource: dict[str, Any] = entry["resource"]
        for coding in resource.get("code", {}).get("coding", []):
            if coding["system"] == LOINC and coding["code"] in PROFILES:
                url = f"http://hl7.org/fhir/StructureDefinition/{PROFILES[coding['code']]}"
                kept = {k: v for k, v in resource.items() if k not in ELSEWHERE}
                yield dumps({**kept, "meta": {"profile": [url]}})
