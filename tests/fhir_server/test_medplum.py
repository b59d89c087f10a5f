"""A second server, of another make: Medplum's, which puts a resource's place wherever its fullUrl
stands. Its repository in memory follows no conditional reference, and its numbers lose their zeros.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from gateway.fhir import names, render
from tests.fhir.records import CASES, pressures
from tests.fhir_server.clinic import PATIENCE_S, Clinic, of_reading, parsed
from tests.fhir_server.kinds import alone, case, somebody
from tests.fhir_server.servers import medplum

MOST = 8  # entries of a transaction with conditional requests: its own limit


@pytest.fixture(scope="module")
def other() -> Iterator[Clinic]:
    with medplum() as base, httpx.Client(base_url=base, timeout=PATIENCE_S) as http:
        yield Clinic(http)


def written(other: Clinic) -> dict[str, str]:
    """Everything that is there, and its version."""
    found = [*other.find("Device?_count=999"), *other.find("Observation?_count=999")]
    return {each["id"]: each["meta"]["versionId"] for each in found}


def test_every_golden_kind_is_taken_and_a_second_post_changes_nothing(other: Clinic) -> None:
    bodies = [render(alone(record, uuid4())) for record in CASES.values() if not record.amended]
    bodies = [body for body in bodies if len(parsed(body)["entry"]) <= MOST]
    assert {other.post(body).status for body in bodies} == {200}
    before = written(other)
    again = [other.post(body).statuses for body in bodies]
    assert {status for statuses in again for status in statuses} == {"200"}
    assert written(other) == before


def test_more_entries_than_it_has_isolation_for_are_refused_whole(other: Clinic) -> None:
    before = written(other)
    body = render(case("glucose-with-context", somebody()))
    assert len(parsed(body)["entry"]) > MOST
    assert other.post(body).status == 400
    assert written(other) == before


def test_identifiers_are_kept_as_they_were_sent(other: Clinic) -> None:
    body = render(case("glucose", somebody()))
    sent = [entry["resource"]["identifier"] for entry in parsed(body)["entry"]]
    there = [other.ask("GET", f"/{place}").body["identifier"] for place in other.post(body).places]
    assert there == sent


def test_an_amended_reading_updates_what_is_there_and_the_first_version_nothing(
    other: Clinic,
) -> None:
    first = case("blood-pressure", somebody())
    reading = replace(first.reading, values=pressures("131", "81", "94"))
    second = replace(first, version=2, reading=reading)
    for record in (first, second, first):
        assert other.post(render(record)).status == 200
    (found,) = other.find(of_reading(names.observation(first, "blood-pressure")))
    value = found["component"][0]["valueQuantity"]["value"]
    assert (found["status"], value) == ("amended", "131")
