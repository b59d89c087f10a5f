"""The right number, the right meaning, and what is never published."""

import json
from dataclasses import replace

import pytest

from drivers.api import Absent, Code, Kind, Reading
from gateway.fhir import RenderError, render
from gateway.model import Record
from tests.fhir.look import observations, systems
from tests.fhir.records import (
    BLOOD_PRESSURE,
    CASES,
    CUFF,
    FINGER_THERMOMETER,
    GLUCOMETER,
    MILLIMOLAR,
    OXIMETER,
    glucose,
    none,
    number,
    oximetry,
    pressures,
    record,
    temperature,
)


@pytest.mark.parametrize("digits", ["36.6", "36.60", "36.600", "37", "0.0"])
def test_a_number_keeps_the_zeros_that_the_meter_sent(digits: str) -> None:
    assert f'"value":{digits},'.encode() in render(temperature(digits, "Cel"))


def test_a_large_exponent_is_written_out() -> None:
    assert b'"value":20470,' in render(temperature("2.047E+4", "Cel"))


def test_metres_become_centimetres_by_the_exponent_alone() -> None:
    assert b'"value":177.0,"unit":"cm"' in render(CASES["weight"])


def test_kilopascals_carry_the_mdc_code_alone() -> None:
    found = observations(CASES["blood-pressure-kpa-with-status"])["150020"]
    concepts = [found["code"], *(component["code"] for component in found["component"])]
    assert {system for c in concepts for system, _ in systems(c)} == {"urn:iso:std:iso:11073:10101"}
    assert len(found["category"]) == 1


@pytest.mark.parametrize(
    ("sample", "meal", "unit", "expected"),
    [
        ("capillary-plasma", "casual", "mmol/L", ["160188", "14743-9", "NPU22089", "NPU22089"]),
        ("capillary-plasma", "fasting", "mmol/L", ["160188", "14743-9", "NPU02193", "NPU02193"]),
        ("capillary-plasma", "fasting", "mg/dL", ["160188"]),
        ("capillary-whole-blood", "fasting", "mmol/L", ["160184", "14743-9"]),
        ("venous-plasma", "fasting", "mmol/L", ["160196"]),
        ("reserved-0", "fasting", "mmol/L", ["160020"]),
    ],
)
def test_glucose_is_coded_by_sample_meal_and_unit(
    sample: str, meal: str, unit: str, expected: list[str]
) -> None:
    of = glucose(number(Kind.GLUCOSE, "6.1", unit), sample, ("meal", meal))
    assert [code for _, code in systems(observations(of)[expected[0]]["code"])] == expected


def test_the_two_pulses_differ_in_how_they_were_taken() -> None:
    assert "149546" in observations(BLOOD_PRESSURE)
    assert "149530" in observations(oximetry())


@pytest.mark.parametrize(
    ("told", "mdc", "loinc"),
    [
        ((), "188432", False),
        (("reserved-0",), "188432", False),
        (("ear",), "188428", True),
        (("body",), "150364", True),
    ],
    ids=["nothing", "nothing known", "ear", "body"],
)
def test_a_temperature_is_of_the_place_that_it_names_or_else_of_its_meters(
    told: tuple[str, ...], mdc: str, loinc: bool
) -> None:
    of = replace(temperature("33.1", "Cel", *told), device=FINGER_THERMOMETER)
    coding = systems(observations(of)[mdc]["code"])
    assert (("http://loinc.org", "8310-5") in coding) is loinc


def test_a_confirmed_answer_is_coded_and_another_is_words() -> None:
    found = observations(CASES["glucose-with-context"])["8417884"]["valueCodeableConcept"]
    assert (systems(found)[0][1], found["text"]) == ("8417892", "health care professional")
    late = observations(glucose(MILLIMOLAR, "capillary-plasma", ("meal", "bedtime")))
    assert late["8417864"]["valueCodeableConcept"] == {"text": "bedtime"}


def test_what_has_no_place_in_fhir_is_kept_as_words() -> None:
    found = observations(CASES["glucose-with-context"])["160184"]
    assert found["note"] == [{"text": "meal-size: large"}]
    odd = observations(oximetry("a-flag-of-tomorrow"))["150456"]
    assert odd["note"] == [{"text": "Meter's flag: a-flag-of-tomorrow"}]


def test_the_oximeters_bits_are_numbered_from_the_other_end() -> None:
    found = observations(CASES["oximetry-early-questionable-low-perfusion"])["150604"]
    bits = [component["code"]["coding"][0]["code"] for component in found["component"]]
    assert bits == ["150604.0", "150604.10"]


def test_a_time_fault_sets_no_bit() -> None:
    found = observations(CASES["glucose-high"])["8417752"]
    assert len(found["component"]) == 1


def test_a_value_too_high_to_show_is_published_without_a_number() -> None:
    found = observations(CASES["glucose-high"])["160188"]
    assert systems(found["dataAbsentReason"])[0][1] == "positive-infinity"
    assert "valueQuantity" not in found


def test_an_invalid_measurement_is_in_error_whatever_number_it_had() -> None:
    found = observations(CASES["oximetry-invalid"])["150456"]
    assert found["status"] == "entered-in-error"
    assert systems(found["dataAbsentReason"])[0][1] == "error"
    assert not {"valueQuantity", "component"} & set(found)


def test_of_several_reasons_why_there_is_no_value_the_gravest_is_said() -> None:
    found = observations(CASES["oximetry-unavailable-and-invalid"])["150456"]
    assert found["status"] == "entered-in-error"
    assert systems(found["dataAbsentReason"])[0][1] == "error"
    both = observations(oximetry("measurement-ongoing", "measurement-unavailable"))["150456"]
    assert systems(both["dataAbsentReason"])[0][1] == "not-performed"


def test_what_is_still_being_measured_has_no_value_yet() -> None:
    found = observations(CASES["oximetry-ongoing"])["150456"]
    assert systems(found["dataAbsentReason"])[0][1] == "temp-unknown"
    assert not {"valueQuantity", "interpretation"} & set(found)


def test_demonstration_data_is_marked_as_test_data() -> None:
    found = observations(CASES["oximetry-unavailable-demonstration"])
    marked = [code for code, resource in found.items() if "security" in resource["meta"]]
    assert marked == ["150456", "149530"]


def test_simulated_data_is_marked_on_every_resource() -> None:
    bundle = json.loads(render(CASES["blood-pressure-simulated-patient-entry"]))
    resources = [bundle, *(entry["resource"] for entry in bundle["entry"])]
    assert [r["meta"]["security"][0]["code"] for r in resources] == ["HTEST"] * 7


@pytest.mark.parametrize(
    "refused",
    [
        glucose(MILLIMOLAR, "control-solution"),
        glucose(MILLIMOLAR, "capillary-plasma", ("sample-location", "control-solution")),
        glucose(MILLIMOLAR, "capillary-plasma", flags=("control-solution",)),
        glucose(MILLIMOLAR, "capillary-plasma", ("meal", "reserved-6")),
        glucose(number(Kind.GLUCOSE, "-6.1", "mmol/L"), "capillary-plasma"),
        record(CUFF, Reading(values=(number(Kind.CUFF_PRESSURE, "150", "mm[Hg]"),))),
        record(CUFF, Reading(values=(*pressures("1", "2", "3"),), flags=("intermediate",))),
        record(OXIMETER, Reading()),
        record(GLUCOMETER, Reading(codes=(Code("sample-location", "not-available"),))),
    ],
)
def test_what_must_not_be_published_is_refused(refused: Record) -> None:
    with pytest.raises(RenderError):
        render(refused)


def test_a_value_with_neither_number_nor_reason_is_refused() -> None:
    hollow = replace(none(Kind.BODY_WEIGHT, Absent.RESERVED, "kg"), absent=None)
    with pytest.raises(RenderError, match="neither a number nor a reason"):
        render(record(CUFF, Reading(values=(hollow,))))
