"""Only what the contract describes is stored; anything else is refused with a reason."""

import hashlib
import json
import random
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import examination
from backend.arrival import judge
from backend.bundle import MAX_BODY
from backend.store import Delivery, Place, Refusal, Verdict
from gateway.contract import Properties, gateway_name
from gateway.fhir import render
from tests.backend.parts import GATEWAY, OTHER, TOPICS, message, reading
from tests.fhir import records

MESSAGE = message()
BODY = MESSAGE.body
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def properties(body: bytes) -> dict[str, str]:
    sha256 = hashlib.sha256(body).hexdigest()
    made = Properties(
        id=reading(1), source=TOPICS.source, epoch="e1", seq=1, version=1, late=False, sha256=sha256
    )
    return dict(made.pairs())


def judged(body: bytes) -> Delivery | Refusal:
    return judge(TOPICS.observation, body, properties(body).items()).message


def reason(body: bytes, /, **changed: str) -> str:
    arrival = judge(TOPICS.observation, body, {**properties(body), **changed}.items())
    assert isinstance(arrival.message, Refusal)
    return arrival.message.reason


def changed(old: bytes, new: bytes) -> bytes:
    assert old in BODY
    return BODY.replace(old, new, 1)


def with_member(name: str, value: object) -> bytes:
    """Of its last Observation."""
    document = json.loads(BODY)
    document["entry"][-1]["resource"][name] = value
    return json.dumps(document).encode()


def nested(deep: int) -> list[object]:
    inner: dict[str, object] = {"url": "urn:x", "valueString": "x"}
    for _ in range(deep // 2):
        inner = {"url": "urn:x", "extension": [inner]}
    return [inner]


def test_a_bundle_of_the_contract_is_delivered() -> None:
    found = judged(BODY)
    assert isinstance(found, Delivery)
    digest = hashlib.sha256(BODY).hexdigest()
    assert (found.id, found.version, found.sha256, found.body) == (reading(1), 1, digest, BODY)
    assert found.place == Place("org1", GATEWAY, "e1", 1)
    assert [each.startswith("5C313EFFFE010203-") for each in found.contents.phd] == [True]


def test_its_receipt_names_the_digest_of_what_came() -> None:
    arrival = judge(TOPICS.observation, BODY, properties(BODY).items())
    receipt = arrival.receipt(Verdict("stored"), "receiver-1", NOW)
    assert receipt is not None
    assert (receipt.id, receipt.epoch, receipt.status) == (reading(1), "e1", "stored")
    assert receipt.sha256 == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a FHIR Bundle"),
        (b'{"resourceType":"Observation"}', "not a FHIR Bundle"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{}]}', "not a transaction"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[]}', "not a transaction"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{"x":1}]}', "not FHIR"),
        (b" " * (MAX_BODY + 1), "at most 262144 octets, got 262145"),
        (changed(b'"type":"transaction"', b'"type":"transaction","type":"batch"'), "twice"),
        (changed(b'"value":121', b'"value":"121"'), "valueQuantity.value is not a number"),
        (changed(b'"value":121', b'"value":true'), "valueQuantity.value is not a number"),
        (changed(b'"value":121', b'"value":1e400'), "valueQuantity.value is not a number"),
        (changed(b'"value":121', b'"value":NaN'), "NaN"),
        (changed(b'"value":121', b'"value":null'), "null"),
        (with_member("_status", 5), "not FHIR"),
        (with_member("extension", nested(45)), "more than 40 elements in one another"),
        (with_member("extension", nested(120)), "more than 40 elements in one another"),
        (with_member("referenceRange", [{"low": {"value": "90"}}]), "low.value is not a number"),
        (with_member("referenceRange", [{"age": {"high": {"value": "9"}}}]), "high.value is not"),
        (with_member("valueInteger", 1.5), "valueInteger is not of its type"),
        (with_member("valueBoolean", "true"), "valueBoolean is not of its type"),
        (with_member("valueBoolean", 1), "valueBoolean is not of its type"),
        (
            with_member("extension", [{"url": "urn:x", "valueDecimal": "1.5"}]),
            "valueDecimal is not of its type",
        ),
        (
            with_member("valueRange", {"low": {"value": 1}, "high": {"value": "2"}}),
            "high.value is not a number",
        ),
        (
            with_member("effectiveDateTime", "0001-01-01T00:00:00+14:00"),
            "an effectiveDateTime that UTC has no date for",
        ),
        (changed(b'"status":"final"', b'"status":"finall"'), "status that FHIR does not know"),
        (changed(b'"status":"final",', b""), "not FHIR"),
        (changed(b'"manufacturer":"hjemgate"', b'"manufacturer":"\\u0000"'), "U+0000"),
        (changed(b'"manufacturer":"hjemgate"', b'"manufacturer":"\\ud800"'), "no Unicode"),
        (changed(b'"resourceType":"Device"', b'"resourceType":{}'), "unknown type"),
        (changed(b'"resourceType":"Device"', b'"resourceType":"Toaster"'), "unknown type"),
        (changed(GATEWAY.encode(), OTHER.encode()), "not the gateway of the topic"),
        (message(2).body, "not that of the reading and its version"),
        (message(1, version=2).body, "not that of the reading and its version"),
        (
            changed(
                b'"subject":{"reference":"Patient?identifier=',
                b'"subject":{"reference":"Patient?x=',
            ).replace(b'"subject":{"reference":"Patient?x=', b'"not":{"reference":"x=', 1),
            "not FHIR",
        ),
    ],
)
def test_what_is_no_bundle_of_the_contract_is_refused(body: bytes, words: str) -> None:
    assert words in reason(body)


def test_a_bundle_about_two_people_is_refused() -> None:
    body = render(records.CASES["glucose-with-context"])
    document = json.loads(body)
    subjects = [
        entry["resource"]["subject"]
        for entry in document["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    ]
    assert len(subjects) > 2
    subjects[-1]["reference"] += "0"
    assert "not about one and the same subject" in _as_reading(document)


def _as_reading(document: dict[str, Any]) -> str:
    record = records.CASES["glucose-with-context"]
    body = json.dumps(document).encode()
    topic = f"hjemgate/1/org1/{record.gateway.id}/up/observation"
    pairs = properties(body) | {
        "id": str(record.id),
        "source": f"/hjemgate/1/org1/{record.gateway.id}",
    }
    found = judge(topic, body, pairs.items()).message
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize("name", records.CASES)
def test_whatever_a_gateway_renders_is_taken(name: str) -> None:
    record, body = records.CASES[name], render(records.CASES[name])
    pairs = properties(body) | {
        "id": str(record.id),
        "version": str(record.version),
        "source": f"/hjemgate/1/org1/{record.gateway.id}",
    }
    topic = f"hjemgate/1/org1/{record.gateway.id}/up/observation"
    found = judge(topic, body, pairs.items()).message
    assert isinstance(found, Delivery), found.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "120"),
        ("seq", "-1"),
        ("version", "0"),
        ("late", "perhaps"),
        ("sha256", "00"),
        ("sha256", "0" * 64),
        ("source", "/hjemgate/1/org1/gw-9876543210"),
        ("type", "something.else"),
        ("specversion", "0.3"),
        ("time", "yesterday"),
        ("epoch", ""),
        ("epoch", "e\0"),
        ("epoch", "e\x1b[2J"),
    ],
)
def test_a_wrong_property_is_named(name: str, value: str) -> None:
    assert name in reason(BODY, **{name: value})


@pytest.mark.parametrize("name", ["id", "source", "epoch", "seq", "version", "late", "sha256"])
def test_a_missing_property_is_named(name: str) -> None:
    pairs = properties(BODY)
    del pairs[name]
    found = judge(TOPICS.observation, BODY, pairs.items()).message
    assert isinstance(found, Refusal)
    assert name in found.reason


def test_a_name_that_is_no_uuid_is_refused_in_words_of_our_own() -> None:
    assert reason(BODY, id="Ж" * 36) == "user property id: not a UUID"


def test_a_property_that_is_given_twice_is_named() -> None:
    pairs = [*properties(BODY).items(), ("seq", "2")]
    found = judge(TOPICS.observation, BODY, pairs).message
    assert isinstance(found, Refusal)
    assert found.reason == "user property seq: given twice"


def test_an_unknown_property_changes_nothing() -> None:
    pairs = [*properties(BODY).items(), ("traceparent", "1"), ("traceparent", "2")]
    assert isinstance(judge(TOPICS.observation, BODY, pairs).message, Delivery)


@pytest.mark.parametrize("content_type", [None, "", "application/json", "text/plain"])
def test_another_content_type_is_refused(content_type: str | None) -> None:
    found = judge(TOPICS.observation, BODY, properties(BODY).items(), content_type).message
    assert isinstance(found, Refusal)
    assert "content type" in found.reason


def test_what_cannot_be_named_gets_no_receipt() -> None:
    arrival = judge(TOPICS.observation, BODY, ())
    assert arrival.receipt(Verdict("rejected"), "receiver-1", NOW) is None


def test_a_reason_quotes_nothing_of_the_message() -> None:
    body = json.dumps({"resourceType": "0101701234", "type": "0101701234"}).encode()
    assert "0101701234" not in reason(body) + reason(BODY, id="0101701234")
    inner = changed(b'"manufacturer":"hjemgate"', b'"010170-1234":"010170-1234"')
    assert "010170" not in reason(inner)


def test_an_error_that_nobody_foresaw_is_a_refusal_that_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("0101701234")

    monkeypatch.setattr(examination, "examine", broken)
    words = reason(BODY)
    assert "LookupError" in words
    assert "0101701234" not in words


@given(
    topic=st.text(max_size=50),
    body=st.binary(max_size=50),
    pairs=st.lists(st.tuples(st.sampled_from(["id", "seq", "late", "time"]), st.text())),
)
def test_anything_at_all_is_judged(topic: str, body: bytes, pairs: list[tuple[str, str]]) -> None:
    assert isinstance(judge(topic, body, pairs).message, Refusal)


JUNK: list[Any] = [None, True, -1, 1.5, "", "\0", [], {}, [None], [{}], {"resourceType": {}}]


@pytest.mark.parametrize("seed", range(300))
def test_a_bundle_that_is_broken_anywhere_is_judged(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    document = json.loads(BODY)
    for _ in range(dice.choice([1, 1, 3])):
        element = document
        while True:
            at = dice.choice(list(element) if isinstance(element, dict) else range(len(element)))
            if isinstance(element[at], dict | list) and element[at] and dice.random() < 0.8:
                element = element[at]
                continue
            element[at] = deepcopy(dice.choice(JUNK))
            break
    judged(json.dumps(document).encode())


def test_a_device_is_called_by_what_it_is_and_never_as_another() -> None:
    """Nobody overwrites another gateway's Device, or calls a meter by a gateway's name."""
    bundle = json.loads(BODY)
    devices = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Device"]
    for number, words in ((0, "PhgDevice"), (1, "System ID")):
        changed = deepcopy(bundle)
        foreign = f"urn:uuid:{gateway_name(OTHER)}"
        entry = next(e for e in changed["entry"] if e["fullUrl"] == devices[number]["fullUrl"])
        entry["resource"]["identifier"][0]["value"] = foreign
        entry["request"]["ifNoneExist"] = f"identifier=urn:ietf:rfc:3986%7C{foreign}"
        assert words in reason(json.dumps(changed).encode())
