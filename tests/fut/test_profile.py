"""What is sent conforms to FUT's published profile, value set and concept maps, 8 and 10."""

import json
from dataclasses import replace
from typing import Any

import pytest

from backend.fut import codes, validity
from backend.fut.elements import own
from backend.fut.measured import Rules
from backend.fut.plan import read
from backend.fut.projection import project
from backend.onward_json import octets
from tests.fut import packages, plans
from tests.fut.plans import Row, slot
from tests.fut.profile import faults
from tests.fut.test_projection import observations, only, projected

KINDS = (
    *("blood-pressure", "blood-pressure-kpa-with-status", "weight", "weight-pounds"),
    *("temperature", "temperature-fahrenheit", "oximetry", "glucose-fasting"),
)
ORDERS = (
    *(plans.PULSE, plans.WEIGHT, plans.HEIGHT, plans.BMI, plans.SATURATION),
    *(plans.TEMPERATURE, plans.GLUCOSE),
)
PANEL = (plans.PANEL,)
DEVICE = "https://device.fut.example/fhir/Device/5001"
APART = (plans.SYSTOLIC, plans.DIASTOLIC)


def of_version(version: str) -> int:
    return int(version.partition(".")[0])


PUBLISHED = [  # 8.0.0 knows no glucose
    (what, version)
    for what in KINDS
    for version in packages.VERSIONS
    if what != "glucose-fasting" or of_version(version) >= codes.FASTING_GLUCOSE.since
]


@pytest.mark.parametrize("shape", [PANEL, APART])
@pytest.mark.parametrize("further", [True, False])
@pytest.mark.parametrize(("what", "version"), PUBLISHED)
def test_every_kind_conforms_to_ehealth_observation(
    what: str, further: bool, shape: tuple[tuple[str, str], ...], version: str
) -> None:
    rows = [
        slot(code, *plans.MORNING, request=str(n)) if n % 2 else Row(code, request=str(n))
        for n, code in enumerate(ORDERS)
    ] + [slot(code, *plans.MORNING, request=f"bp{n}") for n, code in enumerate(shape)]
    rules = Rules(version=of_version(version), further_codings=further)
    found = observations(projected(what, *rows, rules=rules))
    assert found
    assert [faults(each, version) for each in found] == [[] for _ in found]


@pytest.mark.parametrize("version", packages.VERSIONS)
def test_with_its_devices_it_conforms_as_well(version: str) -> None:
    (found,) = with_devices(of_version(version))
    assert found["device"]["reference"] == DEVICE
    assert faults(found, version) == []


def with_devices(version: int) -> list[Any]:
    """A weight, by a meter and through a gateway that FUT knows."""
    devices = (e["resource"] for e in plans.bundle("weight")["entry"])
    names = [own(each) for each in devices if each["resourceType"] == "Device"]
    known = replace(plans.PERSON, devices={str(name): DEVICE for name in names})
    reading = plans.reading("weight", Rules(version=version))
    return observations(project(reading, plans.plan(Row(plans.WEIGHT)), known))


@pytest.mark.parametrize("version", packages.VERSIONS)
def test_it_is_fhir(version: str) -> None:
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415 -- slow to import

    for each in observations(projected("blood-pressure", Row(plans.PANEL))):
        Observation.model_validate_json(octets(each))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("basedOn",), []),
        (("performer",), [{"reference": plans.PATIENT}] * 2),
        (("extension",), []),
        (("code", "coding"), [{"system": codes.MDC, "code": "188736"}]),
        (("valueQuantity", "code"), "[lb_av]"),
        (("subject", "reference"), "Patient/1001"),
        (("valueString",), "heavy"),
        (("effectiveDateTime",), None),
    ],
)
def test_the_check_itself_finds_faults(path: tuple[str, ...], value: object) -> None:
    found: Any = json.loads(octets(only(projected("weight", Row(plans.WEIGHT)))))
    assert faults(found, "10.0.0") == []
    element = found
    for step in path[:-1]:
        element = element[step]
    if value is None:
        del element[path[-1]]
    else:
        element[path[-1]] = value
    assert faults(found, "10.0.0") != []


@pytest.mark.parametrize("version", packages.VERSIONS)
def test_our_table_says_what_futs_concept_maps_say(version: str) -> None:
    units = packages.concept_map(version, "conceptmap-obs-code-to-ucum")
    types = packages.concept_map("8.0.0", "conceptmap-obs-code-to-value-type")
    for code in codes.ALL:
        known = code.since <= of_version(version)
        assert (code.pair in packages.observation_codes(version)) == known
        if known:
            assert units[code.pair] == (codes.UCUM, code.unit)
        if code.pair in types:
            assert (types[code.pair][1] == "integer") == code.integer


def test_our_panel_has_the_parts_that_futs_map_gives_it() -> None:
    name = "ConceptMap-ehealth.sundhed.dk-ConceptMap-activitydefinition-code-to-observation-code"
    group = packages.resource("8.0.0", name)["group"][0]
    (element,) = (each for each in group["element"] if each["code"] == codes.PANEL[1])
    assert [each["code"] for each in element["target"]] == [c.code for c in codes.PANEL_PARTS]


def test_the_published_example_of_a_care_plan_is_understood() -> None:
    example = packages.folder("8.0.0") / "examples" / "POST_get-patient-procedures.response.json"
    bundle = json.loads(example.read_text())
    patient = "https://patient.cit-careplan-3596.local/fhir/Patient/78199"
    found = read(bundle, patient).activities
    assert {each.timing for each in found} >= {"Resolved", "Extra"}
    assert all(each.service_request.startswith("https://careplan.") for each in found)
    assert read(bundle, "https://patient.example/fhir/Patient/1").activities == ()


def test_what_takes_a_reading_back_conforms_as_far_as_it_is_published() -> None:
    there = validity.Found("https://measurement.fut.example/fhir/Observation/1", "1", "final")
    (parameter,) = validity.statement(there, plans.PATIENT, plans.EPISODE)["parameter"]
    impression = parameter["resource"]
    profile = packages.resource("8.0.0", "StructureDefinition-ehealth-clinicalimpression")
    assert impression["meta"]["profile"] == [profile["url"]]
    required = {
        element["id"].split(".")[1]
        for element in profile["differential"]["element"]
        if element.get("min") and element["id"].count(".") == 1 and ":" not in element["id"]
    }
    assert required <= set(impression)
    concepts = {
        "codes": impression["code"],
        "decision-codes": impression["extension"][1]["valueCodeableConcept"],
        "investigation-item-codes": impression["investigation"][0]["code"],
        "finding-codes": impression["finding"][0]["itemCodeableConcept"],
    }
    for name, concept in concepts.items():
        (coding,) = concept["coding"]
        system = packages.resource("8.0.0", f"CodeSystem-ehealth-clinicalimpression-{name}")
        assert coding["system"] == system["url"]
        assert coding["code"] in {each["code"] for each in system["concept"]}
