"""Searches that a clinic would make find what they should, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.fhir import names, render
from gateway.model import Patient, Record
from tests.fhir_server.clinic import Clinic
from tests.fhir_server.kinds import case, somebody

TODAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LAST_WEEK = "date=ge2026-11-15&date=lt2026-11-23"
BLOOD_PRESSURE = "code=urn:iso:std:iso:11073:10101%7C150020"  # MDC: in mmHg and in kPa
WEIGHT = "code=http://loinc.org%7C29463-7"


@pytest.fixture
def person(clinic: Clinic) -> Patient:
    found = somebody()
    clinic.admit(found)
    return found


def days_ago(days: float, record: Record) -> Record:
    moment = TODAY - timedelta(days=days)
    return replace(record, effective=moment, issued=moment)


def sent(clinic: Clinic, *records: Record) -> None:
    for record in records:
        assert clinic.post(render(record)).status == 200


def of(person: Patient) -> str:
    return f"patient.{names.search(person.system, person.value)}"


def found(clinic: Clinic, search: str) -> list[str]:
    """Our own identifiers of the Observations, in the order that the server gives them."""
    return [each["identifier"][0]["value"] for each in clinic.find(f"Observation?{search}")]


def named(role: str, *records: Record) -> list[str]:
    return [names.urn(names.observation(record, role)) for record in records]


def test_the_blood_pressures_of_a_patient_in_the_last_week(clinic: Clinic, person: Patient) -> None:
    other = somebody()
    clinic.admit(other)
    yesterday = days_ago(1, case("blood-pressure", person))
    kilopascal = days_ago(3, case("blood-pressure-kpa-with-status", person))
    before = days_ago(9, case("blood-pressure", person))
    sent(clinic, before, yesterday, kilopascal, days_ago(1, case("weight", person)))
    sent(clinic, days_ago(1, case("blood-pressure", other)))
    search = f"{of(person)}&{BLOOD_PRESSURE}&{LAST_WEEK}&_sort=-date"
    assert found(clinic, search) == named("blood-pressure", yesterday, kilopascal)


def test_by_loinc_only_those_whose_unit_is_the_one_that_loinc_codes_are_used_with(
    clinic: Clinic, person: Patient
) -> None:
    mercury = case("blood-pressure", person)
    sent(clinic, mercury, case("blood-pressure-kpa-with-status", person))
    search = f"{of(person)}&code=http://loinc.org%7C85354-9"
    assert found(clinic, search) == named("blood-pressure", mercury)


def test_the_systolic_values_above_a_limit(clinic: Clinic, person: Patient) -> None:
    record = case("blood-pressure", person)
    sent(clinic, record)
    systolic = "component-code-value-quantity=http://loinc.org%7C8480-6$"
    assert found(clinic, f"{of(person)}&{systolic}gt120") == named("blood-pressure", record)
    assert found(clinic, f"{of(person)}&{systolic}gt121") == []


def test_the_latest_weight_though_older_ones_arrive_after_it(
    clinic: Clinic, person: Patient
) -> None:
    latest, older = (days_ago(days, case("weight", person)) for days in (1, 2))
    oldest = days_ago(3, case("weight-pounds", person))
    sent(clinic, latest, older, oldest)
    (entry,) = clinic.ask("GET", f"Observation?{of(person)}&{WEIGHT}&_sort=-date&_count=1").body[
        "entry"
    ]
    assert entry["resource"]["identifier"][0]["value"] == named("body-weight", latest)[0]
    assert entry["resource"]["valueQuantity"]["value"] == "72.500"


def test_all_readings_of_a_meter_by_its_system_id_and_by_our_name_for_it(
    clinic: Clinic, person: Patient
) -> None:
    first = days_ago(1, case("blood-pressure", person))
    second = replace(days_ago(2, case("blood-pressure", person)), device=first.device)
    sent(clinic, first, second, case("blood-pressure", person))
    digits = first.device.identity.upper()
    system_id = "-".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    urn = names.urn(names.meter(first.device.identity))
    both = {*named("blood-pressure", first, second), *named("pulse-rate", first, second)}
    for identifier in (f"urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680%7C{system_id}", urn):
        assert set(found(clinic, f"device.identifier={identifier}")) == both


def test_a_withdrawn_reading_and_test_data_can_be_left_out(clinic: Clinic, person: Patient) -> None:
    good = case("oximetry", person)
    sent(clinic, good, case("oximetry-invalid", person))
    sent(clinic, case("oximetry-unavailable-demonstration", person))
    real = "status=final,preliminary,amended&_security:not=HTEST"
    saturation = "code=urn:iso:std:iso:11073:10101%7C150456"
    assert found(clinic, f"{of(person)}&{saturation}&{real}") == named("oxygen-saturation", good)


def test_a_reading_whose_time_is_unknown_is_found_by_its_patient_and_in_no_week(
    clinic: Clinic, person: Patient
) -> None:
    record = replace(case("weight", person), effective=None)
    sent(clinic, record)
    assert found(clinic, f"{of(person)}&{WEIGHT}") == named("body-weight", record)
    assert found(clinic, f"{of(person)}&{WEIGHT}&date=ge1900-01-01") == []
    dated = days_ago(300, case("weight", person))
    sent(clinic, dated)
    assert found(clinic, f"{of(person)}&{WEIGHT}&_sort=-date")[0] == named("body-weight", dated)[0]
