"""Only what the contract describes is stored; anything else is refused with a reason."""

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.arrival import judge
from backend.store import Delivery, Refusal, Verdict
from gateway.contract import Properties, Topics

TOPICS = Topics("org1", "gw-0123456789")
BODY = b'{"resourceType":"Bundle","type":"transaction","entry":[{}]}'
READING = UUID("00000000-0000-5000-8000-000000000001")
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def properties(body: bytes) -> dict[str, str]:
    sha256 = hashlib.sha256(body).hexdigest()
    made = Properties(
        id=READING, source=TOPICS.source, epoch="e1", seq=1, version=1, late=False, sha256=sha256
    )
    return dict(made.pairs())


def reason(body: bytes, /, **changed: str) -> str:
    arrival = judge(TOPICS.observation, body, {**properties(body), **changed}.items())
    assert isinstance(arrival.message, Refusal)
    return arrival.message.reason


def test_a_bundle_of_the_contract_is_delivered() -> None:
    arrival = judge(TOPICS.observation, BODY, properties(BODY).items())
    digest = hashlib.sha256(BODY).hexdigest()
    gateway = "gw-0123456789"
    assert arrival.message == Delivery(READING, 1, digest, BODY, gateway, "e1", 1, late=False)


def test_its_receipt_names_the_digest_of_what_came() -> None:
    arrival = judge(TOPICS.observation, BODY, properties(BODY).items())
    receipt = arrival.receipt(Verdict("stored"), "receiver-1", NOW)
    assert receipt is not None
    assert (receipt.id, receipt.epoch, receipt.status) == (READING, "e1", "stored")
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
    ],
)
def test_what_is_no_transaction_bundle_is_refused(body: bytes, words: str) -> None:
    assert words in reason(body)


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
    ],
)
def test_a_wrong_property_is_named(name: str, value: str) -> None:
    assert name in reason(BODY, **{name: value})


@pytest.mark.parametrize("name", ["id", "source", "epoch", "seq", "version", "late", "sha256"])
def test_a_missing_property_is_named(name: str) -> None:
    pairs = properties(BODY)
    del pairs[name]
    message = judge(TOPICS.observation, BODY, pairs.items()).message
    assert isinstance(message, Refusal)
    assert name in message.reason


def test_what_cannot_be_named_gets_no_receipt() -> None:
    arrival = judge(TOPICS.observation, BODY, ())
    assert arrival.receipt(Verdict("rejected"), "receiver-1", NOW) is None


def test_a_reason_quotes_nothing_of_the_message() -> None:
    body = json.dumps({"resourceType": "0101701234", "type": "0101701234"}).encode()
    assert "0101701234" not in reason(body) + reason(BODY, id="0101701234")


@given(
    topic=st.text(max_size=50),
    body=st.binary(max_size=50),
    pairs=st.lists(st.tuples(st.sampled_from(["id", "seq", "late", "time"]), st.text())),
)
def test_anything_at_all_is_judged(topic: str, body: bytes, pairs: list[tuple[str, str]]) -> None:
    assert isinstance(judge(topic, body, pairs).message, Refusal)
