"""The code systems that no FHIR package carries, as far as the gateway needs them.

terminology.csv is kept apart from the gateway's own tables, so that a code mistyped there is found.
Its sources: PHD, R4, DK, FUT8, FUT10, CGM: the number occurs in HL7's Personal Health Device guide
2.0.0, FHIR R4, DK Core, the Danish infrastructure's guide 8.0.0 or 10.0.0, HL7's CGM guide. GHS:
Philips' published sensor examples. ANT: the Antidote stack's nomenclature. NOM: at least three
independent published copies of the ISO/IEEE 11073-10101 table agree. LOINC: its published table.
ASN1: the names of IEEE 11073-20601's MeasurementStatus.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TABLE = Path(__file__).parent / "terminology.csv"
MDC = "urn:iso:std:iso:11073:10101"
PARTITION_SIZE = 65536  # an MDC code is partition x 65536 + term


def concepts() -> Mapping[str, Mapping[str, str]]:
    """Displays by code, by system; an empty display is not known."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with TABLE.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            found[row["system"]][row["code"]] = row["display"]
    return found


def write(guides: Path, folder: Path) -> None:
    """A CodeSystem fragment for each system, and *guides*' value sets of whole MDC partitions.

    HAPI's terminology in memory does not know their filter's operator: here they are lists.
    """
    for number, (system, displays) in enumerate(concepts().items()):
        _save(folder / f"CodeSystem-{number}.json", _fragment(number, system, displays))
    for path in sorted(guides.glob("ValueSet-*.json")):
        value_set = json.loads(path.read_text(encoding="utf-8"))
        includes = value_set.get("compose", {}).get("include", [])
        if any(_partitions(include) is not None for include in includes):
            value_set["compose"]["include"] = [_listed(include) for include in includes]
            _save(folder / path.name, value_set)


def _save(path: Path, resource: Json) -> None:
    path.write_text(json.dumps(resource, ensure_ascii=False, indent=1), encoding="utf-8")


def _fragment(number: int, system: str, displays: Mapping[str, str]) -> Json:
    return {
        "resourceType": "CodeSystem",
        "id": f"fragment-{number}",
        "url": system,
        "version": "0",
        "name": f"Fragment{number}",
        "status": "active",
        "caseSensitive": True,
        "content": "fragment",
        "concept": [
            {"code": code, **({"display": display} if display else {})}
            for code, display in displays.items()
        ],
    }


def _partitions(include: Json) -> list[str] | None:
    """The partitions that an include of MDC asks for, if that is all it does."""
    match include:
        case {"system": system, "filter": [{"property": "partition", "value": value}]}:
            return str(value).split(",") if system == MDC else None
        case _:
            return None


def _listed(include: Json) -> Json:
    partitions = _partitions(include)
    if partitions is None:
        return include
    codes = [c for c in concepts()[MDC] if str(int(c) // PARTITION_SIZE) in partitions]
    return {"system": MDC, "concept": [{"code": code} for code in codes]}
