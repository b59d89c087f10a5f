"""The rules are worth something: each of them refuses a Bundle that breaks it alone."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.fhir import render
from tests.fhir.records import CASES
from tests.fhir.rules import BUNDLE_RULES, RULES, faults

Json = dict[str, Any]
Mutant = tuple[str, str, Callable[[list[Json]], object]]  # rule, case, what is broken in it

GATEWAY, METER, CLOCK, FIRST = range(4)  # the entries, in the order they are written
PHD_CATEGORY = {
    "coding": [
        {"system": "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories", "code": "phd"}
    ]
}
VITAL_SIGNS = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }
    ]
}
LOINC = {"system": "http://loinc.org", "code": "1-1"}


def resource(entries: list[Json], entry: int) -> Json:
    found: Json = entries[entry]["resource"]
    return found


def setting(entry: int, *path: str | int, to: object) -> Callable[[list[Json]], object]:
    def mutate(entries: list[Json]) -> None:
        node: Any = resource(entries, entry)
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return mutate


def removing(entry: int, *path: str | int) -> Callable[[list[Json]], object]:
    def mutate(entries: list[Json]) -> None:
        node: Any = resource(entries, entry)
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return mutate


BP, KPA, SUGAR, OXY = "blood-pressure", "blood-pressure-kpa-with-status", "glucose", "oximetry"
STATUS_ENTRY = 4  # of the kPa case

MUTANTS: tuple[Mutant, ...] = (
    ("transaction", BP, lambda e: e[FIRST]["request"].update(url="Device")),
    ("own_identifier", BP, lambda e: e[FIRST]["request"].pop("ifNoneExist")),
    ("own_identifier", BP, setting(FIRST, "identifier", 0, "value", to="urn:uuid:1")),
    (
        "own_identifier",
        "blood-pressure-amended",
        lambda e: e[3]["request"].update(url="Observation"),
    ),
    ("references_resolve", BP, lambda e: e.pop(CLOCK)),
    ("references_resolve", BP, lambda e: e[FIRST].update(fullUrl=e[METER]["fullUrl"])),
    ("references_resolve", BP, setting(FIRST, "subject", "reference", to="Patient?identifier=a|b")),
    (
        "right_devices",
        BP,
        lambda e: resource(e, FIRST)["device"].update(reference=e[GATEWAY]["fullUrl"]),
    ),
    (
        "right_devices",
        BP,
        lambda e: resource(e, CLOCK)["subject"].update(reference=e[GATEWAY]["fullUrl"]),
    ),
    ("phd_category", BP, removing(FIRST, "category", 1)),
    ("phd_category", BP, lambda e: resource(e, FIRST)["category"].append(PHD_CATEGORY)),
    ("gateway_extension", BP, removing(FIRST, "extension", 0)),
    ("gateway_extension", BP, lambda e: double(resource(e, FIRST)["extension"], 1)),
    ("phd_identifier", BP, lambda e: double(resource(e, FIRST)["identifier"], 1)),
    ("phd_identifier", BP, setting(FIRST, "identifier", 1, "value", to="5c31-x-150020-1")),
    ("phd_identifier", BP, setting(FIRST, "code", "coding", 0, "code", to="149530")),
    ("mdc_code", BP, removing(FIRST, "code", "coding", 0)),
    ("mdc_code", BP, removing(FIRST, "component", 0, "code", "coding", 0)),
    ("subject_and_device", BP, removing(FIRST, "subject")),
    ("subject_and_device", BP, setting(FIRST, "performer", 0, "reference", to="Patient/other")),
    ("moments", BP, removing(FIRST, "effectiveDateTime")),
    ("moments", BP, setting(FIRST, "effectiveDateTime", to="2026-11-22T08:30:00")),
    ("status", BP, setting(FIRST, "status", to="finall")),
    ("interpretation", OXY, setting(FIRST, "interpretation", 0, "coding", 0, "system", to="x")),
    ("value_or_reason", SUGAR, removing(FIRST, "valueQuantity")),
    ("value_or_reason", BP, removing(FIRST, "component", 0, "valueQuantity")),
    ("value_or_reason", SUGAR, setting(FIRST, "dataAbsentReason", to={"coding": []})),
    ("quantities", SUGAR, setting(FIRST, "valueQuantity", "system", to="urn:x")),
    ("quantities", BP, removing(FIRST, "component", 0, "valueQuantity", "code")),
    ("profile_shape", SUGAR, setting(FIRST, "valueString", to="6.1")),
    ("profile_shape", SUGAR, setting(FIRST, "meta", "profile", to=[])),
    ("compound", BP, lambda e: double(resource(e, FIRST)["component"][0]["code"]["coding"], 0)),
    ("compound", BP, setting(FIRST, "component", 0, "valueString", to="121")),
    (
        "bits",
        KPA,
        setting(STATUS_ENTRY, "component", 0, "code", "coding", 0, "code", to="8410608.6"),
    ),
    ("bits", KPA, setting(STATUS_ENTRY, "component", 0, "valueBoolean", to=False)),
    ("supplemental", OXY, removing(FIRST, "component", 0, "valueCodeableConcept")),
    ("dk_core_slices", SUGAR, lambda e: double(resource(e, FIRST)["code"]["coding"], 1)),
    (
        "dk_core_slices",
        BP,
        lambda e: resource(e, 3)["component"][0]["code"]["coding"].append(LOINC),
    ),
    ("vital_signs", BP, removing(FIRST, "category", 0)),
    ("vital_signs", SUGAR, lambda e: resource(e, FIRST)["category"].append(VITAL_SIGNS)),
    ("vital_signs", "temperature", setting(FIRST, "valueQuantity", "code", to="K")),
    ("blood_pressure", BP, removing(FIRST, "component", 1)),
    ("blood_pressure", BP, setting(FIRST, "component", 2, "valueQuantity", "code", to="kPa")),
    ("clock_pair", BP, setting(CLOCK, "status", to="amended")),
    ("clock_pair", BP, removing(CLOCK, "valueDateTime")),
    ("clock_pair", BP, setting(CLOCK, "valueDateTime", to="2026-11-22T08:30:42")),
    ("clock_pair", BP, setting(CLOCK, "dataAbsentReason", to={"coding": []})),
    ("clock_pair", BP, setting(CLOCK, "derivedFrom", to=[])),
    ("meter_type", BP, setting(METER, "type", "coding", 0, "code", to="531981")),
    ("meter_identifier", BP, removing(METER, "identifier", 1)),
    ("meter_identifier", BP, setting(METER, "identifier", 1, "value", to="5c313efffe010203")),
    ("specialization_version", BP, removing(METER, "specialization", 0, "version")),
    ("gateway_type", BP, setting(GATEWAY, "type", "coding", 0, "code", to="65573")),
    ("maker_and_model", BP, removing(METER, "manufacturer")),
    ("maker_and_model", BP, setting(GATEWAY, "modelNumber", to=" ")),
    ("specialization", BP, setting(METER, "specialization", to=[])),
    ("versions", BP, setting(METER, "version", to=[])),
    ("versions", BP, setting(GATEWAY, "version", 0, "value", to="")),
    ("no_parent", BP, setting(METER, "parent", to={"reference": "Device/1"})),
    ("time_sync", BP, setting(GATEWAY, "property", 0, "valueCode", to=[])),
)


def double(items: list[Json], index: int) -> None:
    items.append(copy.deepcopy(items[index]))


@pytest.mark.parametrize("mutant", range(len(MUTANTS)))
def test_a_bundle_that_breaks_a_rule_is_refused_by_it(mutant: int) -> None:
    rule, case, mutate = MUTANTS[mutant]
    bundle = json.loads(render(CASES[case]))
    mutate(bundle["entry"])
    assert rule in {fault.partition(":")[0] for fault in faults(bundle)}


def test_every_rule_has_a_bundle_that_breaks_it() -> None:
    rules = set(BUNDLE_RULES).union(*RULES.values())
    assert {rule for rule, _, _ in MUTANTS} == rules
