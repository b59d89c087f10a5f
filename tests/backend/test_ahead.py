"""A clock that was ahead, and is right again, holds nothing up."""

from datetime import timedelta

from backend.store import Store, asks, parties
from backend.store.ahead import bring_back
from backend.store.due import Due
from tests.backend.parts import LATER, NOW, delivery

AHEAD = NOW + timedelta(days=900)
GRACE = timedelta(seconds=60)


def due(store: Store) -> int | None:
    parties.share(store.database, ["alone"], 0, LATER)
    found = Due("alone", GRACE).next(store.database, LATER)
    return None if found is None else found.id.int & 0xFFFF


def test_what_was_stored_in_the_future_is_handed_on_now(store: Store) -> None:
    store.keep([delivery(1)], AHEAD)
    assert due(store) == 1


def test_a_missing_number_holds_back_what_came_in_the_future_for_a_while_alone(
    store: Store,
) -> None:
    store.keep([delivery(2)], AHEAD)
    assert due(store) is None
    bring_back(store.database, NOW)
    assert due(store) == 2


def test_a_try_that_was_put_off_into_the_future_is_made(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    assert due(store) == 1
    parties.postpone(store.database, "alone", 1, "away", AHEAD)
    assert due(store) is None
    bring_back(store.database, NOW)
    assert due(store) == 1


def test_a_gap_that_was_noticed_in_the_future_is_asked_for(store: Store) -> None:
    store.keep([delivery(2)], AHEAD)
    bring_back(store.database, NOW)
    assert asks.ask_for_missing(store.database, timedelta(minutes=5), LATER) == 1
