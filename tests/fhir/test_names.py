"""One name for one thing, whoever sends it and however often."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from drivers.api import DeviceInfo, Kind, Reading
from gateway.fhir import render
from gateway.model import Patient, Record
from tests.fhir.look import entries, observations
from tests.fhir.records import (
    BLOOD_PRESSURE,
    CASES,
    CUFF,
    GATEWAY,
    MILLIMOLAR,
    glucose,
    number,
    oximetry,
    pressures,
    record,
)


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


def test_a_full_url_stands_in_references_alone() -> None:
    for made in (BLOOD_PRESSURE, CASES["blood-pressure-simulated-patient-entry"]):
        places = [entry["fullUrl"] for entry in entries(made)]
        rest = [_without_references(entry["resource"]) for entry in entries(made)]
        assert [place for place in places if place in json.dumps(rest)] == []


def _without_references(element: Any) -> Any:
    if isinstance(element, list):
        return [_without_references(each) for each in element]
    if isinstance(element, dict):
        kept = {name: each for name, each in element.items() if name != "reference"}
        return {name: _without_references(each) for name, each in kept.items()}
    return element


def test_the_phd_identifier_is_left_out_without_a_stamp() -> None:
    assert phd_identifiers(CASES["blood-pressure-time-unknown"]) == []


def test_the_phd_identifier_is_left_out_where_the_stamp_has_no_place_in_time() -> None:
    stamped = replace(BLOOD_PRESSURE, effective=None)
    assert stamped.reading.taken_at is not None
    assert phd_identifiers(stamped) == []


def test_a_meters_bluetooth_address_stands_beside_its_system_id() -> None:
    found = entries(BLOOD_PRESSURE)[1]["resource"]["identifier"][1:]
    assert [(i["type"]["coding"][0]["code"], i["value"]) for i in found] == [
        ("SYSID", "5C-31-3E-FF-FE-01-02-03"),
        ("BTMAC", "5C-31-3E-01-02-03"),
    ]


def test_an_address_that_is_none_is_no_identifier() -> None:
    odd = replace(CUFF, address="8D6A0B0C-5B6D-4F7E-9B5E-2E2B1F1B7C11")
    found = entries(replace(BLOOD_PRESSURE, device=odd))[1]["resource"]["identifier"]
    assert len(found) == 2


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
