"""Bundles create Devices and never change one: what was told of it later stays."""

from dataclasses import replace

from gateway.fhir import announcement, device, names, render
from gateway.model import Record
from tests.fhir import records
from tests.fhir_server.clinic import Clinic, Json, of_reading
from tests.fhir_server.kinds import case, somebody


def meter(clinic: Clinic, record: Record) -> Json:
    search = names.search(names.URI, names.urn(names.meter(record.device.identity)))
    (found,) = clinic.find(f"Device?{search}")
    return found


def renewed(record: Record) -> Record:
    """The same meter with new firmware."""
    info = replace(record.device.info, firmware="2.00")
    return replace(record, device=replace(record.device, info=info))


def announced(record: Record, version: int = 217_000_000) -> bytes:
    """The gateway's word on the meter of *record*."""
    name = names.meter(record.device.identity)
    resource = device.meter(record.device, record.simulated)
    return announcement(
        name, version, resource, records.CLOCK.our_clock, record.zone, simulated=record.simulated
    )


def test_an_announcement_updates_the_device_that_is_there(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("weight", person)
    assert clinic.post(render(record)).status == 200
    there = meter(clinic, record)
    for _ in range(2):  # the second says nothing new
        assert clinic.post(announced(renewed(record))).status == 200
    now = meter(clinic, record)
    assert (there["version"][0]["value"], now["version"][0]["value"]) == ("1.04", "2.00")
    assert (now["id"], now["meta"]["versionId"]) == (there["id"], "2")
    assert clinic.post(render(case_of_the_same_meter(record))).status == 200
    assert meter(clinic, record)["meta"]["versionId"] == "2"


def test_a_device_that_is_announced_first_is_the_one_that_readings_refer_to(
    clinic: Clinic,
) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("weight", person)
    assert clinic.post(announced(record)).status == 200
    assert clinic.post(render(record)).status == 200
    (weight,) = clinic.find(of_reading(names.observation(record, "body-weight")))
    assert weight["device"]["reference"] == f"Device/{meter(clinic, record)['id']}"


def test_a_gateway_s_new_software_reaches_the_server(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("weight", person)
    assert clinic.post(render(record)).status == 200
    newer = replace(record.gateway, version="9.9.9")
    name = names.gateway(newer.id)
    resource = device.gateway(newer, simulated=False)
    at = records.CLOCK.our_clock
    body = announcement(name, 217_000_000, resource, at, record.zone, simulated=False)
    assert clinic.post(body).status == 200
    (found,) = clinic.find(f"Device?{names.search(names.URI, names.urn(name))}")
    assert found["version"][0]["value"] == "9.9.9"


def test_no_bundle_turns_a_changed_device_back(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    old = case("weight", person)
    assert clinic.post(render(renewed(old))).status == 200
    assert clinic.post(render(case_of_the_same_meter(old))).status == 200
    assert clinic.post(render(replace(case_of_the_same_meter(old), version=2))).status == 200
    found = meter(clinic, old)
    assert (found["version"][0]["value"], found["meta"]["versionId"]) == ("2.00", "1")


def case_of_the_same_meter(record: Record) -> Record:
    return replace(case("weight", record.patient), device=record.device)
