"""Building and reading messages; any octets at all are a message or one clear error."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway import contract
from gateway.contract import ContractError, Properties, Topics
from gateway.contract.base import MAX_DOWN
from tests.contract import examples

TOPICS = Topics("org1", "gw-0123456789")
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
RECEIPT: dict[str, Any] = {
    "id": "00000000-0000-5000-8000-000000000001",
    "epoch": "e1",
    "sha256": "a" * 64,
    "by": "receiver-1",
    "status": "stored",
    "at": "2026-11-25T08:00:00Z",
}


def receipts(*each: dict[str, Any]) -> bytes:
    return json.dumps({"receipts": each}).encode()


def test_topics_are_read_as_they_are_written() -> None:
    for topic in (TOPICS.observation, TOPICS.status, TOPICS.reply, TOPICS.receipt, TOPICS.command):
        address = contract.parse_topic(topic)
        assert address.topics == TOPICS
        assert topic.endswith(address.channel)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "hjemgate/1/org1/gw-0123456789/up",
        "hjemgate/1/org1/gw-0123456789/up/other",
        "hjemgate/2/org1/gw-0123456789/up/observation",
        "hjemgate/1/org1/gw-0123456789/up/observation\n",
        "hjemgate/1/org1/gw-+/up/observation",
        "hjemgate/1/+/gw-0123456789/up/observation",
        "hjemgate/1//gw-0123456789/up/observation",
    ],
)
def test_another_topic_is_an_error(topic: str) -> None:
    with pytest.raises(ContractError):
        contract.parse_topic(topic)


def test_a_share_stands_before_the_filter() -> None:
    assert contract.all_observations("o", "care") == "$share/care/hjemgate/1/o/+/up/observation"


def test_receipts_are_read() -> None:
    (receipt,) = contract.parse_receipts(receipts(RECEIPT)).receipts
    assert (receipt.id, receipt.status) == (UUID(RECEIPT["id"]), "stored")
    assert receipt.at == NOW


def test_what_a_later_version_adds_to_a_receipt_is_ignored() -> None:
    assert contract.parse_receipts(receipts({**RECEIPT, "more": [1]}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 60_000,
        b" " * (MAX_DOWN + 1),
        receipts(),
        receipts(*[RECEIPT] * 101),
        receipts({**RECEIPT, "status": "perhaps"}),
        receipts({**RECEIPT, "sha256": "A" * 64}),
        receipts({**RECEIPT, "id": 1}),
        receipts({**RECEIPT, "at": "2026-11-25T08:00:00"}),
        receipts({**RECEIPT, "by": "x" * 65}),
        receipts({**RECEIPT, "reason": "x" * 501}),
    ],
)
def test_a_wrong_receipt_is_one_short_error(body: bytes) -> None:
    with pytest.raises(ContractError) as raised:
        contract.parse_receipts(body)
    assert 0 < len(str(raised.value)) <= 200
    assert "\n" not in str(raised.value)


def test_an_error_quotes_nothing_of_the_message() -> None:
    with pytest.raises(ContractError) as raised:
        contract.parse_receipts(receipts({**RECEIPT, "by": "0101701234 /"}))
    assert "0101701234" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_longest_list_of_receipts_fits() -> None:
    longest = {**RECEIPT, "epoch": "e" * 64, "by": "b" * 64, "reason": "r" * 200}
    body = receipts(*[longest] * 100)
    assert len(contract.parse_receipts(body).receipts) == 100


@given(st.binary(max_size=200))
def test_any_octets_are_receipts_or_an_error(body: bytes) -> None:
    try:
        contract.parse_receipts(body)
    except ContractError:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*RECEIPT, "x"]), inner),
        max_leaves=20,
    )
)
def test_any_json_is_receipts_or_an_error(document: object) -> None:
    try:
        contract.parse_receipts(json.dumps({"receipts": [document]}).encode())
    except ContractError:
        return


def test_every_command_is_answered_with_an_honest_no() -> None:
    reply = contract.refusal(examples.command().body, TOPICS.gateway, NOW)
    assert (reply.id, reply.status) == (examples.COMMAND, "refused")
    assert reply.reason == "not supported by this version"


@given(st.binary(max_size=100))
def test_an_unreadable_command_is_refused_without_its_id(body: bytes) -> None:
    reply = contract.refusal(body, TOPICS.gateway, NOW)
    assert (reply.id, reply.status) == (None, "refused")


def test_user_properties_are_read_as_they_are_written() -> None:
    publication = contract.observation(TOPICS, examples.message(), 600)
    properties = contract.parse_properties(publication.properties)
    assert properties == Properties(
        id=examples.RECORD.id,
        source="/hjemgate/1/org1/gw-0123456789",
        time=examples.TAKEN,
        epoch=examples.EPOCH,
        seq=118,
        version=1,
        late=False,
        sha256=examples.message().sha256,
    )


def test_an_unknown_time_is_left_out() -> None:
    properties = contract.parse_properties(
        pair for pair in examples.publications()["observation"].properties if pair[0] != "time"
    )
    assert properties.time is None
    assert "time" not in dict(properties.pairs())


def test_an_observation_is_sent_octet_by_octet_and_never_retained() -> None:
    message = examples.message()
    publication = contract.observation(TOPICS, message, 600)
    assert (publication.body, publication.retain, publication.expiry_s) == (
        message.body,
        False,
        600,
    )


def test_nothing_beyond_the_contract_can_be_sent() -> None:
    with pytest.raises(ValidationError):
        contract.Rows.model_validate({"captured": 1, "lost": 0})


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))))
def test_any_user_properties_are_read_or_an_error(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ContractError):
        contract.parse_properties(pairs)
