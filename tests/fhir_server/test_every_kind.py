"""Every kind of Bundle that the gateway can send, POSTed as it is."""

import json
from collections.abc import Mapping

import pytest

from gateway.fhir import names, render
from tests.fhir_server.clinic import Answer, Clinic, Json, as_sent, later, parsed, to_store
from tests.fhir_server.kinds import kinds

BATCH = 200  # resources read back at a time


@pytest.fixture(scope="module")
def known(clinic: Clinic) -> Mapping[str, str]:
    """The patients of all Bundles, by the reference that these use, and where they are."""
    people = {record.patient for record in kinds().values()}
    return {names.subject(person): clinic.admit(person) for person in people}


@pytest.fixture(scope="module")
def bodies(known: Mapping[str, str]) -> Mapping[str, bytes]:
    return {name: render(record) for name, record in kinds().items()}


@pytest.fixture(scope="module")
def answers(clinic: Clinic, bodies: Mapping[str, bytes]) -> Mapping[str, Answer]:
    """What the server says of each when it comes for the first time."""
    return {name: clinic.post(body) for name, body in bodies.items()}


def test_every_kind_of_bundle_is_accepted_and_every_resource_of_it_created(
    answers: Mapping[str, Answer], bodies: Mapping[str, bytes]
) -> None:
    assert len(answers) > 400
    odd = {
        name: answer.body if answer.status != 200 else answer.statuses
        for name, answer in answers.items()
        if answer.status != 200 or answer.statuses != _expected(bodies[name])
    }
    assert odd == {}


def _expected(body: bytes) -> list[str]:
    """Patients are there already."""
    types = [entry["resource"]["resourceType"] for entry in json.loads(body)["entry"]]
    return ["200" if each == "Patient" else "201" for each in types]


def test_what_is_stored_is_what_was_sent_to_the_last_zero(
    clinic: Clinic,
    answers: Mapping[str, Answer],
    bodies: Mapping[str, bytes],
    known: Mapping[str, str],
) -> None:
    sent: dict[str, Json] = {}
    for name, body in bodies.items():
        bundle = parsed(body)
        where = dict(zip(_names(bundle), answers[name].places, strict=True))
        places = {**known, **{urn: _unversioned(place) for urn, place in where.items()}}
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] != "Patient":
                sent[where[entry["fullUrl"]]] = to_store(entry["resource"], places)
    places_of_all = list(sent)
    for first in range(0, len(places_of_all), BATCH):
        some = places_of_all[first : first + BATCH]
        assert [as_sent(each) for each in clinic.read(some)] == [sent[place] for place in some]


def _names(bundle: Json) -> list[str]:
    return [entry["fullUrl"] for entry in bundle["entry"]]


def _unversioned(place: str) -> str:
    return place.partition("/_history/")[0]


def test_a_second_post_of_every_kind_changes_nothing(
    clinic: Clinic, answers: Mapping[str, Answer], bodies: Mapping[str, bytes]
) -> None:
    before = later()
    again = {name: clinic.post(body) for name, body in bodies.items()}
    assert {status for answer in again.values() for status in answer.statuses} == {"200"}
    assert {name: answer.places for name, answer in again.items()} == {
        name: answer.places for name, answer in answers.items()
    }
    assert clinic.written_since(before) == []
