"""What a Bundle asks a FHIR server to do: no more than a gateway has to ask for."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest

from backend.bundle import bundle_identifier, examine
from gateway.contract import DEVICE, ContractError
from gateway.fhir import RenderError, render
from tests.backend.parts import GATEWAY, message, reading
from tests.conformance import corpus
from tests.fhir import records

Document = dict[str, Any]
FIRST, AMENDED = message(1), message(1, version=2, seq=2)
PHG, PHD, CLOCKS, PRESSURE = range(4)  # places of the entries


def changed(change: Callable[[Document], object], version: int = 1) -> bytes:
    document = json.loads((FIRST if version == 1 else AMENDED).body)
    change(document)
    return json.dumps(document).encode()


def why(change: Callable[[Document], object], version: int = 1) -> str:
    with pytest.raises(ContractError) as caught:
        examine(changed(change, version), reading(1), version, GATEWAY)
    return str(caught.value)


def request(place: int, **members: str) -> Callable[[Document], object]:
    return lambda document: document["entry"][place]["request"].update(members)


def resource(place: int, **members: Any) -> Callable[[Document], object]:
    return lambda document: document["entry"][place]["resource"].update(members)


def more(kind: str, method: str, url: str) -> Callable[[Document], object]:
    """An entry that no gateway sends."""
    of_its_own = {"resourceType": kind, "identifier": [_urn(7)], **BARE.get(kind, {})}
    entry = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000009", "resource": of_its_own}
    asked = {"method": method, "url": url, "ifNoneExist": f"identifier={URI}%7C{_urn(7)['value']}"}
    return lambda document: document["entry"].append({**entry, "request": asked})


URI = "urn:ietf:rfc:3986"
BARE: Mapping[str, Document] = {
    "Observation": {"status": "final", "code": {"text": "x"}},
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1001"},
        "medicationCodeableConcept": {"text": "x"},
    },
}


def _urn(number: int) -> Document:
    return {"system": URI, "value": f"urn:uuid:{reading(number)}"}


def _found(document: Document, place: int) -> str:
    value = document["entry"][place]["resource"]["identifier"][0]["value"]
    return f"identifier={URI}%7C{value}"


def test_every_bundle_that_a_gateway_can_render_is_taken() -> None:
    taken = 0
    for name, record in corpus.every_record():
        try:
            body = render(record)
        except RenderError:  # never sent
            continue
        contents = examine(body, record.id, record.version, record.gateway.id)
        known = None if record.effective is None else int(record.effective.timestamp())
        assert contents.at == known, name
        taken += 1
    assert taken > 500


@pytest.mark.parametrize(
    ("kind", "method", "url"),
    [
        ("MedicationRequest", "POST", "MedicationRequest"),
        ("Patient", "PUT", "Patient/1001"),
        ("Patient", "DELETE", "Patient/1001"),
        ("Observation", "PUT", "Observation/123"),
        ("Observation", "GET", "Observation"),
        ("Observation", "PATCH", "Observation/123"),
        ("Observation", "POST", "Observation/$lastn"),
        ("Device", "POST", "Observation"),
    ],
)
def test_a_gateway_asks_for_nothing_but_what_its_reading_is_made_of(
    kind: str, method: str, url: str
) -> None:
    assert why(more(kind, method, url)).startswith("body: entry.4: ")


def test_an_observation_is_found_by_its_own_identifier_alone() -> None:
    others = f"identifier={URI}%7C{_urn(7)['value']}"
    words = "body: entry.3: request: not for what its own identifier finds"
    assert why(request(PRESSURE, ifNoneExist=others)) == words
    assert why(request(PRESSURE, url=f"Observation?{others}"), version=2) == words
    for also in ("&status=final", "+", "#", ",urn:x%7Cy", "%2Curn:x%7Cy"):
        assert why(lambda d, also=also: _append(d, also)) == words  # type: ignore[misc]


def _append(document: Document, also: str) -> None:
    document["entry"][PRESSURE]["request"]["ifNoneExist"] += also


def test_nothing_is_doubled_when_it_is_sent_twice() -> None:
    words = "body: entry.3: request: not for what its own identifier finds"
    assert why(lambda d: d["entry"][PRESSURE]["request"].pop("ifNoneExist")) == words


def test_only_a_later_version_of_a_reading_overwrites_and_that_its_observations_alone() -> None:
    def put(place: int) -> Callable[[Document], object]:
        def change(document: Document) -> None:
            kind = document["entry"][place]["resource"]["resourceType"]
            url = f"{kind}?{_found(document, place)}"
            document["entry"][place]["request"] = {"method": "PUT", "url": url}

        return change

    words = "request: neither creates nor brings a later version"
    assert why(put(PRESSURE)) == f"body: entry.3: {words}"
    assert why(put(PHD), version=2) == f"body: entry.1: {words}"
    examine(changed(put(PRESSURE), version=2), reading(1), 2, GATEWAY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["entry"][PRESSURE].pop("fullUrl"), "fullUrl, resource and request"),
        (lambda d: d["entry"][PRESSURE].pop("request"), "fullUrl, resource and request"),
        (lambda d: d["entry"][PRESSURE].update(search={"mode": "match"}), "nothing else"),
        (request(PRESSURE, ifMatch='W/"1"'), "not for what its own identifier finds"),
        (request(PRESSURE, ifNoneMatch="*"), "not for what its own identifier finds"),
        (resource(PRESSURE, id="123"), "it has an id"),
        (lambda d: d["entry"][PRESSURE].update(fullUrl="http://x/Observation/1"), "fullUrl"),
        (lambda d: d["entry"].append(d["entry"][PRESSURE]), "entry.4: stands in the Bundle twice"),
        (
            lambda d: d["entry"][PRESSURE]["resource"]["identifier"].append(_urn(7)),
            "no identifier of its own, or several",
        ),
        (
            lambda d: d["entry"][PRESSURE]["resource"]["identifier"].pop(0),
            "no identifier of its own",
        ),
        (
            resource(PRESSURE, identifier=[{"system": URI, "value": "urn:oid:1.2.3"}]),
            "its own identifier is not urn:uuid:",
        ),
        (resource(CLOCKS, subject={"reference": "Patient/1001"}), "a pair of clocks"),
        (resource(PRESSURE, subject={"reference": "Group/1"}), "not one Patient"),
        (resource(PRESSURE, subject={"reference": "Patient/1/_history/2"}), "not one Patient"),
        (resource(PRESSURE, subject={"reference": "Patient?name=hansen"}), "not one Patient"),
    ],
)
def test_what_is_refused_is_said_with_its_place(
    change: Callable[[Document], object], words: str
) -> None:
    assert words in why(change)


def test_a_patient_of_the_bundle_is_its_subject() -> None:
    record = records.CASES["blood-pressure-simulated-patient-entry"]
    document = json.loads(render(record))
    document["entry"][-1]["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000009"
    with pytest.raises(ContractError, match="not one Patient"):
        examine(json.dumps(document).encode(), record.id, record.version, record.gateway.id)


def test_a_person_with_an_odd_identifier_is_found_by_it() -> None:
    (name,) = [
        name
        for name, each in corpus.every_record()
        if each.patient.value == "x|1 ø,2"
        and each.patient.reference == "entry"
        and name.startswith("sig_weight")
    ]
    record = dict(corpus.every_record())[name]
    examine(render(record), record.id, record.version, record.gateway.id)
    for written, instead in (("%2C2", "%2C2%2Cp-17"), ("%26", "&")):
        document = json.loads(render(record))
        request = document["entry"][-1]["request"]
        assert written in request["ifNoneExist"]
        request["ifNoneExist"] = request["ifNoneExist"].replace(written, instead)
        with pytest.raises(ContractError, match="not for what its own identifier finds"):
            examine(json.dumps(document).encode(), record.id, record.version, record.gateway.id)


def test_a_device_is_overwritten_by_its_own_message_alone() -> None:
    meter = json.loads(FIRST.body)["entry"][PHD]
    name = UUID(meter["resource"]["identifier"][0]["value"].removeprefix("urn:uuid:"))
    document: Document = {"resourceType": "Bundle", "type": "transaction", "entry": [meter]}
    document["identifier"] = bundle_identifier(name, 1)
    with pytest.raises(ContractError, match=r"entry\.0: request: neither"):
        examine(json.dumps(document).encode(), name, 1, GATEWAY, DEVICE)
    meter["request"] = {"method": "PUT", "url": f"Device?{meter['request']['ifNoneExist']}"}
    examine(json.dumps(document).encode(), name, 1, GATEWAY, DEVICE)


def test_a_device_message_updates_the_device_that_it_is_called_by() -> None:
    meter = json.loads(FIRST.body)["entry"][PHD]
    meter["request"] = {"method": "PUT", "url": f"Device?{meter['request']['ifNoneExist']}"}
    meter["resource"]["identifier"].append({"system": "urn:x", "value": _urn(7)["value"]})
    document: Document = {"resourceType": "Bundle", "type": "transaction", "entry": [meter]}
    document["identifier"] = bundle_identifier(reading(7), 1)
    with pytest.raises(ContractError, match="does not update the Device"):
        examine(json.dumps(document).encode(), reading(7), 1, GATEWAY, DEVICE)
