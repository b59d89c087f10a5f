"""The order in which readings are handed on, of one gateway and of several, to each party."""

from datetime import timedelta

from backend.store import Store, onward, parties
from backend.store.due import Due
from tests.backend.handing import ALONE, BOTH, GRACE, due, order, settle
from tests.backend.parts import GATEWAY, LATER, NOW, OTHER, delivery, reading


def test_of_one_gateway_in_the_order_of_its_numbers(store: Store) -> None:
    store.keep([delivery(3), delivery(1), delivery(2)], NOW)
    assert order(store) == [(GATEWAY, 1), (GATEWAY, 2), (GATEWAY, 3)]


def test_an_epoch_after_the_other(store: Store) -> None:
    store.keep([delivery(2), delivery(3, epoch="e2", seq=1), delivery(1)], NOW)
    assert order(store) == [(GATEWAY, 1), (GATEWAY, 2), (GATEWAY, 1)]


def test_of_several_gateways_in_the_order_of_arrival(store: Store) -> None:
    mixed = [delivery(1), delivery(5, gateway=OTHER, seq=1), delivery(2)]
    store.keep(mixed, NOW)
    assert order(store) == [(GATEWAY, 1), (OTHER, 1), (GATEWAY, 2)]


def test_gateways_take_turns_and_what_came_late_still_goes_first(store: Store) -> None:
    store.keep([delivery(2), delivery(3), delivery(5, gateway=OTHER, seq=1)], NOW)
    store.keep([delivery(6, gateway=OTHER, seq=2)], NOW)
    parties.share(store.database, ALONE, 0, LATER)
    ours = Due("alone", GRACE)
    handed = []
    while (each := ours.next(store.database, LATER)) is not None:
        handed.append((each.gateway, each.id))
        if len(handed) == 1:  # the list of who waits is made by now
            store.keep([delivery(7, gateway=OTHER, epoch="e0", seq=9)], NOW)
            parties.share(store.database, ALONE, 0, LATER)
        settle(store, each, "delivered")
    assert handed == [
        *((GATEWAY, reading(2)), (OTHER, reading(5)), (GATEWAY, reading(3))),
        *((OTHER, reading(6)), (OTHER, reading(7))),
    ]


def test_a_number_that_came_late_goes_before_what_was_to_go_next(store: Store) -> None:
    store.keep([delivery(5, gateway=OTHER, seq=1), delivery(2)], NOW)
    parties.share(store.database, ALONE, 0, LATER)
    ours = Due("alone", GRACE)
    first = ours.next(store.database, LATER)
    assert first is not None
    settle(store, first, "delivered")
    store.keep([delivery(1)], NOW)
    parties.share(store.database, ALONE, first.position, LATER)
    then = ours.next(store.database, LATER)
    assert then is not None
    assert then.id == reading(1)


def test_what_was_queued_once_and_is_no_more_holds_up_nothing(store: Store) -> None:
    store.keep([delivery(1), delivery(2)], NOW)
    assert due(store) is not None
    with store.database.writing():
        store.database.execute("DELETE FROM onward WHERE seq = 1")
    assert order(store) == [(GATEWAY, 2)]


def test_a_missing_number_holds_back_what_comes_after_it_for_a_while(store: Store) -> None:
    store.keep([delivery(1), delivery(3)], NOW)
    assert order(store, NOW + timedelta(seconds=59)) == [(GATEWAY, 1)]
    assert order(store, NOW + timedelta(seconds=60)) == [(GATEWAY, 3)]


def test_what_has_to_be_tried_again_holds_back_its_own_gateway_alone(store: Store) -> None:
    store.keep([delivery(1), delivery(2), delivery(5, gateway=OTHER, seq=1)], NOW)
    first = due(store)
    assert first is not None
    then = LATER + timedelta(minutes=1)
    parties.postpone(store.database, "alone", first.position, "no answer", then)
    assert order(store, LATER) == [(OTHER, 1)]
    assert order(store, then) == [(GATEWAY, 1), (GATEWAY, 2)]


def test_copies_repeats_and_rejected_readings_are_not_handed_on(store: Store) -> None:
    store.keep([delivery(1), delivery(1), delivery(1, gateway=OTHER), delivery(1, seq=2)], NOW)
    assert order(store) == [(GATEWAY, 1)]


def test_an_older_version_does_not_follow_a_later_one(store: Store) -> None:
    store.keep([delivery(1, version=2, seq=2)], NOW)
    assert order(store) == [(GATEWAY, 2)]
    store.keep([delivery(1)], NOW)
    late = due(store)
    assert late is not None
    assert (late.version, late.by_then) == (1, "delivered")


def test_who_cannot_correct_is_given_the_newest_version_that_is_held(store: Store) -> None:
    versions = [delivery(1, version=version, seq=version) for version in (1, 2, 3)]
    store.keep([*versions, delivery(9, seq=9)], NOW)
    found = due(store, corrects=False)
    assert found is not None
    assert found.version == 3
    parties.postpone(store.database, "alone", found.position, "away", LATER + GRACE)
    assert due(store, corrects=False) is None
    settle(store, found, "delivered")
    for version in (1, 2):
        passed = due(store, corrects=False)
        assert passed is not None
        assert (passed.version, passed.by_then) == (version, "delivered")
        settle(store, passed, "delivered")
    assert order(store) == [(GATEWAY, 9)]


def test_who_can_correct_is_given_each_version_in_its_order(store: Store) -> None:
    store.keep([delivery(1, version=version, seq=version) for version in (1, 2)], NOW)
    assert order(store) == [(GATEWAY, 1), (GATEWAY, 2)]


def test_what_is_held_back_with_a_newer_version_holds_up_no_other_gateway(store: Store) -> None:
    store.keep([delivery(1), delivery(1, version=2, seq=2)], NOW)
    store.keep([delivery(5, gateway=OTHER, seq=1)], NOW)
    newest = due(store, corrects=False)
    assert newest is not None
    parties.postpone(store.database, "alone", newest.position, "away", LATER + GRACE)
    other = due(store, corrects=False)
    assert other is not None
    assert other.gateway == OTHER


def test_when_a_later_version_was_refused_the_earlier_is_not_given(store: Store) -> None:
    store.keep([delivery(1), delivery(1, version=2, seq=2)], NOW)
    newest = due(store, corrects=False)
    assert newest is not None
    settle(store, newest, "undeliverable")
    earlier = due(store, corrects=False)
    assert earlier is not None
    assert (earlier.version, earlier.by_then) == (1, "undeliverable")


def test_what_another_party_was_delivered_takes_nothing_from_this_one(store: Store) -> None:
    store.keep([delivery(1), delivery(1, version=2, seq=2)], NOW)
    for version in (1, 2):
        found = due(store, party="region", names=BOTH)
        assert found is not None
        assert (found.version, found.by_then) == (version, None)
        parties.settle(store.database, BOTH, "region", found.position, "delivered", None, LATER)
    found = due(store, party="practice", names=BOTH)
    assert found is not None
    assert (found.version, found.by_then) == (1, None)


def test_a_later_version_that_is_not_theirs_takes_nothing_from_a_party(store: Store) -> None:
    store.keep([delivery(1), delivery(1, version=2, seq=2)], NOW)
    first = due(store, corrects=False)
    assert first is not None
    settle(store, first, "nothing")
    found = due(store, corrects=False)
    assert found is not None
    assert (found.version, found.by_then) == (1, None)


def test_a_party_that_came_later_is_not_given_what_had_been_corrected_before(store: Store) -> None:
    store.keep([delivery(1), delivery(1, version=2, seq=2)], NOW)
    first = due(store)
    assert first is not None
    settle(store, first, "undeliverable")
    order(store)
    onward.again(store.database, LATER)
    found = due(store, party="new", names=["alone", "new"])
    assert found is not None
    assert (found.version, found.by_then) == (1, "delivered")
