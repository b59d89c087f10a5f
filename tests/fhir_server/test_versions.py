"""A later version takes the place of an earlier one, and what is there stays where it is."""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.fhir import names, render
from gateway.model import Record
from tests.fhir.records import pressures
from tests.fhir_server.clinic import Answer, Clinic, Json, later, of_reading, parsed
from tests.fhir_server.kinds import case, somebody


def versions(clinic: Clinic, *systolic: str) -> list[Record]:
    """Of one reading of a patient who is known; each with another value."""
    person = somebody()
    clinic.admit(person)
    first = case("blood-pressure", person)
    return [
        replace(
            first,
            version=number,
            reading=replace(first.reading, values=pressures(value, "81", "94")),
        )
        for number, value in enumerate(systolic, start=1)
    ]


def post(clinic: Clinic, *records: Record) -> list[Answer]:
    answers = [clinic.post(render(record)) for record in records]
    assert [answer.status for answer in answers] == [200] * len(records), answers
    return answers


def pressure(clinic: Clinic, record: Record) -> Json:
    """What a clinic sees of the reading: one Observation, whatever has come."""
    (found,) = clinic.find(of_reading(names.observation(record, "blood-pressure")))
    return found


def seen(clinic: Clinic, record: Record) -> tuple[str, str]:
    found = pressure(clinic, record)
    return found["status"], found["component"][0]["valueQuantity"]["value"]


def test_an_amended_reading_updates_what_is_there(clinic: Clinic) -> None:
    first, second = versions(clinic, "121", "131")
    post(clinic, first)
    there = pressure(clinic, first)
    post(clinic, second)
    assert pressure(clinic, second)["id"] == there["id"]
    assert (there["meta"]["versionId"], seen(clinic, first)) == ("1", ("amended", "131"))
    assert pressure(clinic, second)["meta"]["versionId"] == "2"


def test_what_an_amendment_has_replaced_stays_in_the_history(clinic: Clinic) -> None:
    first, second = versions(clinic, "121", "131")
    post(clinic, first, second)
    history = clinic.find(f"Observation/{pressure(clinic, first)['id']}/_history")
    assert [each["status"] for each in history] == ["amended", "final"]


@pytest.mark.parametrize("order", [(2, 1), (1, 2, 1), (2, 1, 1), (1, 2, 2), (2, 1, 2)])
def test_the_first_version_changes_nothing_behind_the_second(
    clinic: Clinic, order: Sequence[int]
) -> None:
    both = versions(clinic, "121", "131")
    post(clinic, *(both[number - 1] for number in order))
    assert seen(clinic, both[0]) == ("amended", "131")


def test_the_first_version_after_a_later_one_writes_nothing_at_all(clinic: Clinic) -> None:
    first, _, third = versions(clinic, "121", "131", "141")
    post(clinic, third)
    before = later()
    post(clinic, first)
    assert clinic.written_since(before) == []


def test_a_withdrawn_reading_is_entered_in_error_and_stays_so(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    first = case("oximetry", person)
    reading = replace(first.reading, flags=("invalid-measurement",))
    withdrawn = replace(first, version=2, reading=reading)
    post(clinic, first, withdrawn, first, withdrawn)
    (found,) = clinic.find(of_reading(names.observation(first, "oxygen-saturation")))
    assert (found["status"], found["meta"]["versionId"]) == ("entered-in-error", "2")
    assert "valueQuantity" not in found
    assert found["dataAbsentReason"]["coding"][0]["code"] == "error"


def test_what_a_technician_withdraws_is_in_error_everywhere_and_can_be_put_back(
    clinic: Clinic,
) -> None:
    first, second, third = versions(clinic, "121", "121", "121")
    post(clinic, first, replace(second, withdrawn=True), first)
    assert seen(clinic, first) == ("entered-in-error", "121")
    post(clinic, third)
    assert seen(clinic, first) == ("amended", "121")


def test_what_an_amendment_says_no_more_is_entered_in_error(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    first = case("glucose-with-context", person)
    second = replace(
        first,
        version=2,
        reading=replace(first.reading, codes=first.reading.codes[:1]),
        former=(first.reading,),
    )
    post(clinic, first, second)
    before, after = (parsed(render(record)) for record in (first, second))
    for bundle in (before, after):
        assert len(bundle["entry"]) == len(before["entry"])
    statuses = set()
    for entry in before["entry"]:
        if "category" in entry["resource"]:
            name = entry["resource"]["identifier"][0]["value"].removeprefix("urn:uuid:")
            (found,) = clinic.find(of_reading(UUID(name)))
            statuses.add(found["status"])
    assert statuses == {"amended", "entered-in-error"}


def test_a_server_by_itself_takes_an_amendment_that_comes_after_a_later_one(clinic: Clinic) -> None:
    """R4 has no conditional update that does nothing where a later version is: without a match it
    creates. So whoever POSTs must keep the order of versions, as the receiver does.
    """
    first, second, third = versions(clinic, "121", "131", "141")
    post(clinic, first, third, second)
    assert seen(clinic, first) == ("amended", "131")


def test_an_amendment_put_by_the_server_s_own_id_and_version_overwrites_no_later_one(
    clinic: Clinic,
) -> None:
    """What somebody can do who must POST without knowing what came before: look, then `ifMatch`."""
    first, second, third = versions(clinic, "121", "131", "141")
    post(clinic, first)
    there = pressure(clinic, first)
    post(clinic, third)
    late = json.loads(render(second))
    for entry in late["entry"]:
        if entry["request"]["method"] == "PUT":
            entry["resource"]["id"] = there["id"]
            url, version = f"Observation/{there['id']}", there["meta"]["versionId"]
            entry["request"] = {"method": "PUT", "url": url, "ifMatch": f'W/"{version}"'}
    assert clinic.post(json.dumps(late).encode()).status in (409, 412)
    assert seen(clinic, first) == ("amended", "141")
