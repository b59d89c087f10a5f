"""What a receiver can rely on, one promise at a time."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from drivers.api import Absent, Code, DeviceInfo, Kind, Reading
from gateway.fhir import RenderError, render
from gateway.model import Patient, Record
from tests.fhir.records import (
    BLOOD_PRESSURE,
    CASES,
    CLOCK,
    CUFF,
    GATEWAY,
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


# Numbers


@pytest.mark.parametrize("digits", ["36.6", "36.60", "36.600", "37", "0.0"])
def test_a_number_keeps_the_zeros_that_the_meter_sent(digits: str) -> None:
    assert f'"value":{digits},'.encode() in render(temperature(digits, "Cel"))


def test_a_large_exponent_is_written_out() -> None:
    assert b'"value":20470,' in render(temperature("2.047E+4", "Cel"))


def test_metres_become_centimetres_by_the_exponent_alone() -> None:
    assert b'"value":177.0,"unit":"cm"' in render(CASES["weight"])


# Identity


def test_an_amended_reading_updates_the_observations_of_the_first_version() -> None:
    first, second = entries(BLOOD_PRESSURE), entries(replace(BLOOD_PRESSURE, version=2))
    assert [entry["fullUrl"] for entry in first] == [entry["fullUrl"] for entry in second]
    methods = [entry["request"]["method"] for entry in second]
    assert methods == ["POST", "POST", "POST", "PUT", "PUT"]
    assert {entry["resource"]["status"] for entry in second[3:]} == {"amended"}


def test_an_amended_sample_type_changes_the_code_and_not_the_identity() -> None:
    whole = entries(glucose(MILLIMOLAR, "capillary-whole-blood"))[-1]
    plasma = entries(glucose(MILLIMOLAR, "capillary-plasma"))[-1]
    assert whole["fullUrl"] == plasma["fullUrl"]
    assert whole["resource"]["code"] != plasma["resource"]["code"]


def test_every_version_is_a_bundle_of_its_own() -> None:
    bundles = [json.loads(render(replace(BLOOD_PRESSURE, version=n))) for n in (1, 2)]
    assert bundles[0]["identifier"] != bundles[1]["identifier"]


def test_a_session_has_one_timestamp_whatever_it_brought() -> None:
    later = replace(
        BLOOD_PRESSURE, id=UUID(int=1), reading=Reading(values=pressures("1", "2", "3"))
    )
    assert entries(BLOOD_PRESSURE)[:3] == entries(later)[:3]


def test_a_replaced_gateway_gives_the_observations_the_same_names() -> None:
    replaced = replace(BLOOD_PRESSURE, gateway=replace(GATEWAY, id="gw-0000000000"))
    assert [e["fullUrl"] for e in entries(replaced)[1:]] == [
        e["fullUrl"] for e in entries(BLOOD_PRESSURE)[1:]
    ]


def phd_identifiers(of: Record) -> list[str]:
    system = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation"
    return [
        identifier["value"]
        for entry in entries(of)
        for identifier in entry["resource"]["identifier"]
        if identifier.get("system") == system
    ]


def test_the_phd_identifier_follows_the_guides_text() -> None:
    logical = replace(BLOOD_PRESSURE, patient=Patient("", "p-1", "logical"))
    stamped = replace(
        logical,
        reading=replace(logical.reading, taken_at=datetime(2021, 11, 22, 11, 56, 30)),  # noqa: DTZ001 -- a meter's naive clock
    )
    assert phd_identifiers(stamped) == [
        "5C313EFFFE010203-p-1-150020-690897390",
        "5C313EFFFE010203-p-1-149546-690897390",
    ]


def test_a_spot_check_is_named_in_the_phd_identifier() -> None:
    assert [value[-7:] for value in phd_identifiers(oximetry())] == ["-150588", "-150588"]


def test_the_phd_identifier_is_left_out_without_a_stamp() -> None:
    assert phd_identifiers(CASES["blood-pressure-time-unknown"]) == []


def test_the_phd_identifier_is_left_out_where_two_would_be_the_same() -> None:
    twice = record(CUFF, Reading(values=(number(Kind.PULSE_RATE, "60", "/min"),) * 2))
    assert phd_identifiers(twice) == []
    assert len({entry["fullUrl"] for entry in entries(twice)}) == len(entries(twice))


def test_a_meter_without_a_system_id_is_known_by_its_address() -> None:
    bare = replace(CUFF, identity="c01122334455", info=DeviceInfo())
    meter = entries(replace(BLOOD_PRESSURE, device=bare))[1]["resource"]
    assert meter["identifier"][1]["type"]["coding"][0]["code"] == "BTMAC"
    assert meter["identifier"][1]["value"] == "C0-11-22-33-44-55"
    assert (meter["manufacturer"], meter["modelNumber"]) == ("unknown", "unknown")
    assert meter["version"][0]["value"] == "unknown"


def test_the_zeros_that_pad_a_model_name_are_dropped() -> None:
    assert entries(BLOOD_PRESSURE)[1]["resource"]["modelNumber"] == "EM-1"


# The citizen


def test_the_citizen_is_searched_for_by_an_escaped_token() -> None:
    patient = Patient("https://example.org/a?b=1&c", "x|1 ø,2")
    found = observations(replace(BLOOD_PRESSURE, patient=patient))["150020"]["subject"]
    assert found["reference"] == (
        "Patient?identifier=https://example.org/a%3Fb%3D1%26c%7Cx%5C%7C1%20%C3%B8%5C%2C2"
    )


def test_a_patient_entry_is_created_only_if_it_is_not_there() -> None:
    bundle = entries(CASES["blood-pressure-simulated-patient-entry"])
    assert bundle[-1]["resource"]["resourceType"] == "Patient"
    assert "ifNoneExist" in bundle[-1]["request"]
    assert bundle[3]["resource"]["subject"]["reference"] == bundle[-1]["fullUrl"]


# Time


@pytest.mark.parametrize(
    ("utc", "home"),
    [
        ("2026-10-25T00:59:59+00:00", "2026-10-25T02:59:59+02:00"),
        ("2026-10-25T01:00:00+00:00", "2026-10-25T02:00:00+01:00"),
        ("2026-03-29T00:59:59+00:00", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+02:00"),
        ("1893-12-31T12:00:00+00:00", "1893-12-31T12:00:00+00:00"),
    ],
)
def test_a_moment_is_written_with_the_homes_offset_at_that_moment(utc: str, home: str) -> None:
    of = replace(BLOOD_PRESSURE, effective=datetime.fromisoformat(utc))
    assert observations(of)["150020"]["effectiveDateTime"] == home


def test_an_unknown_time_is_said_to_be_unknown() -> None:
    found = observations(CASES["blood-pressure-time-unknown"])["150020"]
    assert "effectiveDateTime" not in found
    assert found["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"
    assert found["issued"] == "2026-11-22T08:31:03.000+01:00"


def test_the_two_clocks_of_a_pair_are_written_with_one_offset() -> None:
    wild = replace(CLOCK, device_clock=datetime(2020, 7, 1, 12, 0))  # noqa: DTZ001 -- a meter's naive clock
    pair = observations(replace(BLOOD_PRESSURE, clock=wild))["67975"]
    assert pair["effectiveDateTime"] == "2026-11-22T08:31:02.250+01:00"
    assert pair["valueDateTime"] == "2020-07-01T12:00:00+01:00"


def test_a_gateway_without_a_trusted_clock_claims_no_synchronisation() -> None:
    drifting = replace(BLOOD_PRESSURE, gateway=replace(GATEWAY, clock="receipt"))
    prop = entries(drifting)[0]["resource"]["property"][0]
    assert systems(prop["valueCode"][0])[0][1] == "532224"


# Meaning


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


def test_a_confirmed_answer_is_coded_and_another_is_words() -> None:
    found = observations(CASES["glucose-with-context"])
    assert systems(found["8417864"]["valueCodeableConcept"])[0][1] == "8417872"
    assert found["8417884"]["valueCodeableConcept"] == {"text": "health care professional"}


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


def test_demonstration_data_is_marked_as_test_data() -> None:
    found = observations(CASES["oximetry-unavailable-demonstration"])
    marked = [code for code, resource in found.items() if "security" in resource["meta"]]
    assert marked == ["150456", "149530"]


def test_simulated_data_is_marked_on_every_resource() -> None:
    bundle = json.loads(render(CASES["blood-pressure-simulated-patient-entry"]))
    resources = [bundle, *(entry["resource"] for entry in bundle["entry"])]
    assert [r["meta"]["security"][0]["code"] for r in resources] == ["HTEST"] * 7


# What is never published


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


def test_every_moment_handed_over_is_in_utc() -> None:
    assert all(of.issued.tzinfo is UTC for of in CASES.values())
