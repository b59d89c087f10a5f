"""What a server must not take, and what becomes of Bundles that come at the same time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from gateway.fhir import names, render
from gateway.model import Patient
from tests.fhir_server.clinic import PATIENCE_S, Clinic, later, of_reading
from tests.fhir_server.kinds import case, somebody

SENDERS = 4
LOGICAL = Patient("", str(uuid4()), "logical")


@pytest.mark.parametrize("person", [somebody(), LOGICAL], ids=["conditional", "logical"])
def test_a_patient_whom_the_server_does_not_know_is_refused_and_nothing_is_written(
    clinic: Clinic, person: Patient
) -> None:
    before = later()
    answer = clinic.post(render(case("blood-pressure", person)))
    assert answer.status == {"conditional": 404, "logical": 400}[person.reference]
    assert answer.body["resourceType"] == "OperationOutcome"
    assert answer.body["issue"][0]["severity"] == "error"
    assert clinic.written_since(before) == []


def test_the_refused_bundle_is_taken_once_the_patient_is_known(clinic: Clinic) -> None:
    person = somebody()
    body = render(case("blood-pressure", person))
    assert clinic.post(body).status == 404
    clinic.admit(person)
    assert clinic.post(body).status == 200


def test_two_patients_under_one_identifier_are_refused(clinic: Clinic) -> None:
    person = somebody()
    known = {"resourceType": "Patient", "id": f"a-{uuid4()}"}
    known["identifier"] = [{"system": person.system, "value": person.value}]  # type: ignore[assignment]
    for twin in (known, {**known, "id": f"b-{uuid4()}"}):
        assert clinic.put(twin, f"Patient/{twin['id']}").status == 201
    before = later()
    assert clinic.post(render(case("weight", person))).status == 412
    assert clinic.written_since(before) == []


def test_of_the_same_bundle_from_several_at_once_one_is_taken_and_the_others_can_come_again(
    clinic: Clinic,
) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("blood-pressure", person)
    body = render(record)
    answers = _at_once(clinic, [body] * SENDERS)
    assert set(answers) <= {200, 409}
    assert answers[200] >= 1
    assert clinic.post(body).statuses == ["200"] * 5
    assert len(clinic.find(of_reading(names.observation(record, "blood-pressure")))) == 1
    assert len(clinic.find(f"Device?identifier={names.urn(names.gateway(record.gateway.id))}")) == 1


def test_readings_of_one_meter_that_come_at_once_share_its_device(clinic: Clinic) -> None:
    person = somebody()
    clinic.admit(person)
    record = case("weight", person)
    bodies = [render(replace(record, id=uuid4())) for _ in range(SENDERS)]
    _at_once(clinic, bodies)
    assert [clinic.post(body).status for body in bodies] == [200] * SENDERS
    meter = names.urn(names.meter(record.device.identity))
    assert len(clinic.find(f"Device?identifier={meter}")) == 1
    assert len(clinic.find(f"Observation?device.identifier={meter}&code=188736")) == SENDERS


def _at_once(clinic: Clinic, bodies: list[bytes]) -> Counter[int]:
    """Each over a connection of its own."""
    base = clinic.http.base_url

    def post(body: bytes) -> int:
        with httpx.Client(base_url=base, timeout=PATIENCE_S) as http:
            return Clinic(http).post(body).status

    with ThreadPoolExecutor(len(bodies)) as senders:
        return Counter(senders.map(post, bodies))
