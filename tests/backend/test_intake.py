"""Whatever comes, it is judged; and one message that cannot be kept takes no other with it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import heard
from backend.arrival import Arrival, judge
from backend.intake import Heard, take_in
from backend.store import (
    Delivery,
    Refusal,
    Store,
    StoreError,
    asks,
    dead_letters,
    open_database,
)
from backend.store.asks import Wanted
from gateway import contract
from tests.backend.parts import GATEWAY, NOW, ORGANISATION, TOPICS, delivery, message


def arrival(number: int) -> Arrival:
    publication = contract.observation(TOPICS, message(number), 600)
    return judge(publication.topic, publication.body, publication.properties)


class Poisoned(Store):
    """Fails, as no code foresaw, at the second reading."""

    def keep(self, messages: Sequence[Delivery | Refusal], now: Any) -> Any:
        if any(isinstance(each, Delivery) and each.place.seq == 2 for each in messages):
            raise ValueError("0101701234")
        return super().keep(messages, now)


def letters(store: Store) -> list[tuple[str, str]]:
    return [(each.topic, each.reason) for each in dead_letters.listed(store.database)]


def test_one_reading_that_cannot_be_kept_takes_no_other_with_it(address: str) -> None:
    store = Poisoned(open_database(address))
    kept = take_in(store, [arrival(number) for number in (1, 2, 3)], NOW)
    assert [verdict.status for _, verdict in kept] == ["stored", "rejected", "stored"]
    ((topic, reason),) = letters(store)
    assert topic == TOPICS.observation
    assert reason.startswith("a fault of this receiver (ValueError at ")
    store.close()


def test_a_database_that_is_away_is_no_fault_of_a_message(store: Store) -> None:
    class Away(Store):
        def keep(self, *_: Any) -> Any:
            raise StoreError("no")

    with pytest.raises(StoreError):
        take_in(Away(store.database), [arrival(1)], NOW)


def test_text_that_a_database_cannot_hold_is_refused_and_the_rest_is_kept(store: Store) -> None:
    publication = contract.observation(TOPICS, message(2), 600)
    pairs = [(name, "e\0" if name == "epoch" else text) for name, text in publication.properties]
    wrong = judge(publication.topic, publication.body, pairs)
    topic = judge("hjemgate/1/org1/\0/up/observation", b"", ())
    kept = take_in(store, [arrival(1), wrong, topic, arrival(3)], NOW)
    statuses = [verdict.status for _, verdict in kept]
    assert statuses == ["stored", "rejected", "rejected", "stored"]


def test_a_status_that_fails_as_nobody_foresaw_is_a_dead_letter(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ArithmeticError("0101701234")

    monkeypatch.setattr(heard, "status", broken)
    take_in(store, [Heard(TOPICS.status, b"{}"), arrival(1)], NOW)
    ((topic, reason),) = letters(store)
    assert topic == TOPICS.status
    assert reason.startswith("a fault of this receiver (ArithmeticError at ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = (
    *("online", "at", "gateway", "version", "epoch", "last_seq", "oldest_unreceipted"),
    *("id", "status", "reason", "result", "again", "waiting", "gone", "void", "seq"),
)
TRUE = {"gateway": TOPICS.gateway, "online": True, "at": "2026-11-25T09:00:00Z", "version": "1"}
BODIES = st.binary(max_size=40) | st.builds(
    lambda changed: json.dumps({**TRUE, **changed}).encode(),
    st.dictionaries(st.sampled_from(NAMES), JSON | st.datetimes().map(str), max_size=5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(messages=st.lists(st.tuples(st.sampled_from(["up/status", "up/reply", "x"]), BODIES)))
def test_any_status_and_any_reply_at_all_is_heard(
    tmp_path: Path, messages: list[tuple[str, bytes]]
) -> None:
    store = Store(open_database(tmp_path / "store.db"))
    try:
        heard_ = [Heard(f"hjemgate/1/org1/{TOPICS.gateway}/{c}", body) for c, body in messages]
        assert take_in(store, heard_, NOW) == []
        assert all("a fault of this receiver" not in reason for _, reason in letters(store))
    finally:
        store.close()


SPANS = st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(gone=SPANS, void=SPANS)
def test_whatever_spans_a_reply_names_each_number_stays_in_one_state(
    tmp_path: Path, gone: list[tuple[int, int]], void: list[tuple[int, int]]
) -> None:
    store = Store(open_database(tmp_path / f"{uuid4()}.db"))
    try:
        store.keep([delivery(1), delivery(6), delivery(12)], NOW)
        ask = asks.make(store.database, ORGANISATION, GATEWAY, Wanted("e1", 1, 11), NOW)
        result = {"again": 0, "waiting": 0, "gone": gone, "void": void}
        reply = {"id": str(ask), "gateway": GATEWAY, "status": "done", "result": result}
        for _ in range(2):
            take_in(store, [Heard(TOPICS.reply, json.dumps(reply).encode())], NOW)
        rows = store.database.execute("SELECT first, last FROM missing ORDER BY first")
        numbers = [number for first, last in rows for number in range(first, last + 1)]
        assert numbers == [2, 3, 4, 5, 7, 8, 9, 10, 11]
        assert all("a fault of this receiver" not in reason for _, reason in letters(store))
    finally:
        store.close()


def _places(element: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(element, dict):
        found += [p for name, each in element.items() for p in _places(each, (*path, name))]
    elif isinstance(element, list):
        found += [p for at, each in enumerate(element) for p in _places(each, (*path, at))]
    return found


DOCUMENT = json.loads(message(1).body)
PLACES = _places(DOCUMENT)[1:]


@settings(deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON, extra=st.none() | st.text(max_size=5))
def test_a_bundle_with_anything_anywhere_is_judged(
    place: tuple[Any, ...], value: Any, extra: str | None
) -> None:
    document = json.loads(message(1).body)
    element = document
    for step in place[:-1]:
        element = element[step]
    element[place[-1]] = value
    if extra is not None and isinstance(element, dict):
        element[f"_{place[-1]}"] = extra
    body = json.dumps(document).encode()
    properties = dict(contract.observation(TOPICS, message(1), 600).properties)
    found = judge(TOPICS.observation, body, {**properties, "sha256": _sha256(body)}.items())
    reason = "" if isinstance(found.message, Delivery) else found.message.reason
    assert "a fault of this receiver" not in reason


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
