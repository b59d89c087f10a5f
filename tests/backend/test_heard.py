"""Status documents and replies: what is believed, and what is a dead letter."""

import json
from typing import Any
from uuid import uuid4

import pytest

from backend import heard
from gateway.contract import ContractError
from tests.backend.parts import GATEWAY, TOPICS


def status(**members: Any) -> bytes:
    document = {"online": True, "at": "2026-11-25T09:00:00+01:00", "gateway": GATEWAY}
    return json.dumps({**document, "version": "0.1.0", **members}).encode()


def reply(**members: Any) -> bytes:
    document = {"id": str(uuid4()), "gateway": GATEWAY, "status": "done"}
    return json.dumps({**document, **members}).encode()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_has_no_date_for_is_refused(at: str) -> None:
    with pytest.raises(ContractError, match="body: at: a moment that UTC has no date for"):
        heard.status(TOPICS, status(at=at))


@pytest.mark.parametrize("name", ["epoch", "version"])
@pytest.mark.parametrize("text", ["a\x1b[2J", "a\0", "a\nb", "a\u202eb"])
def test_what_would_speak_to_a_terminal_is_refused(name: str, text: str) -> None:
    with pytest.raises(ContractError, match=f"body: {name}: control characters"):
        heard.status(TOPICS, status(**{name: text}))


def test_of_what_a_gateway_says_to_people_only_the_letters_are_kept() -> None:
    _, answer = heard.reply(TOPICS, reply(status="failed", reason="no\x1b[31m\tø\r\n"))
    assert answer.reason == "no [31m ø  "


@pytest.mark.parametrize("name", ["gone", "void"])
def test_a_span_that_is_turned_round_is_refused(name: str) -> None:
    result = {"again": 0, "waiting": 0, name: [[1, 2], [9, 4]]}
    with pytest.raises(
        ContractError, match=f"body: result.{name}.1: a span that ends before it begins"
    ):
        heard.reply(TOPICS, reply(result=result))
