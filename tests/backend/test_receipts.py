"""Receipts come in messages that a gateway takes."""

from datetime import UTC, datetime

from backend import receipts
from gateway.contract import Receipt, parse_receipts
from tests.backend.parts import TOPICS, reading


def receipt(number: int, reason: str | None) -> Receipt:
    return Receipt(
        id=reading(number),
        epoch="e1",
        sha256="0" * 64,
        by="receiver-1",
        status="stored" if reason is None else "undeliverable",
        at=datetime(2026, 11, 25, tzinfo=UTC),
        reason=reason,
    )


def test_a_hundred_long_reasons_are_more_than_one_message() -> None:
    said = [receipt(number, "ø\U0001f600" * 250) for number in range(100)]
    sent = list(receipts.messages(TOPICS, said))
    assert len(sent) > 1
    assert [each for message in sent for each in parse_receipts(message.body).receipts] == said


def test_of_short_ones_a_hundred_are_one_message() -> None:
    sent = list(receipts.messages(TOPICS, [receipt(number, None) for number in range(101)]))
    assert [len(parse_receipts(message.body).receipts) for message in sent] == [100, 1]
