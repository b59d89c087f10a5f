"""Bundles create Devices and never change one: what was told of it later stays."""

from dataclasses import replace

from gateway.fhir import names, render
from gateway.model import Record
from tests.fhir_server.clinic import Clinic, Json, parsed
from tests.fhir_server.kinds import case, somebody


def meter(clinic: Clinic, record: Record) -> Json:
    search = names.search(names.URI, names.urn(names.meter(record.device.identity)))
    (found,) = clinic.find(f"Device?{search}")
    return found


def renewed(record: Record) -> Record:
    """The same meter with new firmware."""
    info = replace(record.device.info, firmware="2.00")
    return replace(record, device=replace(record.device, info=info))


def device_of(record: Record) -> Json:
    bundle = parsed(render(record))
    found: Json = next(
        entry["resource"]
        for entry in bundle["entry"]
        if entry["fullUrl"] == names.entry(names.meter(record.device.identity))
    )
    return found


def test_a_changed_device_put_under_its_identifier_updates_the_one_that_is_there(
    clinic: Clinic,
) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("weight", person)
    assert clinic.post(render(record)).status == 200
    there = meter(clinic, record)
    search = names.search(names.URI, names.urn(names.meter(record.device.identity)))
    assert clinic.put(device_of(renewed(record)), f"Device?{search}").status == 200
    now = meter(clinic, record)
    assert (there["version"][0]["value"], now["version"][0]["value"]) == ("1.04", "2.00")
    assert now["id"] == there["id"]


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
