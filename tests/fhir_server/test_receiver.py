"""The receiver hands on to a real server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.store import Store, onward, open_database
from gateway.fhir import names
from gateway.model import Patient
from tests.fhir.records import pressures
from tests.fhir_server.clinic import Clinic, later, of_reading
from tests.fhir_server.kinds import case, somebody
from tests.fhir_server.receiving import Receiver


@pytest.fixture
def receiver(clinic: Clinic, tmp_path: Path) -> Iterator[Receiver]:
    store = Store(open_database(str(tmp_path / "store.db")))
    yield Receiver(store, str(clinic.http.base_url).rstrip("/"))
    store.close()


@pytest.fixture
def person(clinic: Clinic) -> Patient:
    found = somebody()
    clinic.admit(found)
    return found


async def test_readings_are_delivered(clinic: Clinic, receiver: Receiver, person: Patient) -> None:
    records = [case(name, person) for name in ("blood-pressure", "glucose-with-context", "weight")]
    assert await receiver.take(*records) == [(1, "delivered", "")] * 3
    search = names.search(names.URI, names.urn(names.observation(records[2], "body-weight")))
    assert len(clinic.find(f"Observation?patient=Patient/{_id(clinic, person)}&{search}")) == 1


def _id(clinic: Clinic, person: Patient) -> str:
    (found,) = clinic.find(f"Patient?{names.search(person.system, person.value)}")
    return str(found["id"])


async def test_a_reading_of_an_unknown_patient_is_undeliverable_and_others_are_not_held_up(
    clinic: Clinic, receiver: Receiver, person: Patient
) -> None:
    stranger, known = case("weight", somebody()), case("weight", person)
    ((_, refused, reason), taken) = await receiver.take(stranger, known)
    assert (refused, taken) == ("undeliverable", (1, "delivered", ""))
    assert "404" in reason
    assert clinic.find(of_reading(names.observation(stranger, "body-weight"))) == []


async def test_an_amendment_that_comes_after_a_later_one_is_not_handed_on(
    clinic: Clinic, receiver: Receiver, person: Patient
) -> None:
    first = case("blood-pressure", person)
    second, third = (
        replace(
            first,
            version=version,
            reading=replace(first.reading, values=pressures(systolic, "81", "94")),
        )
        for version, systolic in ((2, "131"), (3, "141"))
    )
    await receiver.take(first, third)
    before = later()
    assert await receiver.take(second) == [(2, "delivered", onward.LATER_VERSION)]
    assert clinic.written_since(before) == []
    (found,) = clinic.find(of_reading(names.observation(first, "blood-pressure")))
    assert found["component"][0]["valueQuantity"]["value"] == "141"
