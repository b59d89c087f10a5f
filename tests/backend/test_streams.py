"""What is missing among the numbers of a gateway is seen, asked for, and not forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from backend import commands
from backend.store import Store, StoredReading, asks, gateways, readings_of, streams
from backend.store.asks import Answer, Wanted
from backend.store.gateways import Word
from backend.store.looks import MOST_GAPS, missing, overview, seen
from backend.store.store import OLD_EPOCH, USED_TWICE
from tests.backend.parts import GATEWAY, LATER, NOW, ORGANISATION, OTHER, delivery, reading

PATIENCE = timedelta(minutes=15)
ASKING = NOW + timedelta(hours=1)


def gaps(store: Store, state: str = "open") -> list[tuple[int, int]]:
    found = missing(store.database)
    return [(each.first, each.last) for each in found if each.state == state]


def keep(store: Store, *numbers: int) -> None:
    store.keep([delivery(number) for number in numbers], NOW)


def said(epoch: str = "e1", confirmed: int | None = None) -> Word:
    return Word(ORGANISATION, GATEWAY, True, "0.1.0", NOW, epoch, confirmed)


def hear(store: Store, word: Word) -> None:
    with store.database.writing():
        gateways.heard(store.database, word, NOW)


def asked(store: Store) -> list[asks.Ask]:
    """What goes out now, in order."""
    asks.ask_for_missing(store.database, PATIENCE, ASKING)
    found = []
    while (ask := asks.next_to_send(store.database, "care-team", ASKING)) is not None:
        asks.sent(store.database, ask.id, ASKING)
        found.append(ask)
    return found


def answer(store: Store, ask: asks.Ask, answer: Answer, gateway: str = GATEWAY) -> bool:
    return asks.answered(store.database, ask.id, gateway, answer, ASKING)


@pytest.mark.parametrize(
    ("came", "gone"),
    [
        ([1, 2, 3], []),
        ([3], [(1, 2)]),
        ([1, 5], [(2, 4)]),
        ([1, 5, 3], [(2, 2), (4, 4)]),
        ([1, 5, 2, 4], [(3, 3)]),
        ([1, 5, 2, 3, 4], []),
        ([1, 5, 5, 2, 2], [(3, 4)]),
        ([4, 9, 1], [(2, 3), (5, 8)]),
    ],
)
def test_every_number_that_did_not_come_is_missing(
    store: Store, came: list[int], gone: list[tuple[int, int]]
) -> None:
    for number in came:
        keep(store, number)
    assert gaps(store) == gone


def test_a_rejected_reading_is_not_missing(store: Store) -> None:
    keep(store, 1)
    store.keep([delivery(1, seq=2, systolic="140"), delivery(3)], NOW)
    assert gaps(store) == []


def test_each_epoch_counts_for_itself(store: Store) -> None:
    store.keep([delivery(1), delivery(2, epoch="e2", seq=2)], NOW)
    assert [(each.epoch, each.first, each.last) for each in missing(store.database)] == [
        ("e2", 1, 1)
    ]


def test_what_the_gateway_was_confirmed_and_is_not_here_is_missing(store: Store) -> None:
    keep(store, 1)
    hear(store, said(confirmed=4))
    assert gaps(store) == [(2, 4)]


def test_what_the_gateway_still_holds_is_on_its_way(store: Store) -> None:
    keep(store, 1)
    hear(store, said(confirmed=1))
    hear(store, said(confirmed=None))
    assert gaps(store) == []


def test_a_gateway_whose_clock_was_ahead_is_heard_when_it_is_right_again(store: Store) -> None:
    hear(store, replace(said(), at=NOW + timedelta(days=20_000)))
    hear(store, replace(said(confirmed=4), online=True))
    hear(store, replace(said(confirmed=9), at=NOW - timedelta(minutes=1)))  # late, by a detour
    assert gaps(store) == [(1, 4)]


def test_spans_that_overlap_leave_each_number_in_one_state(store: Store) -> None:
    keep(store, 1, 12)
    (ask,) = asked(store)
    result = {"again": 0, "waiting": 0, "gone": [[2, 6], [4, 9], [4, 4]], "void": [[9, 11], [6, 6]]}
    assert answer(store, ask, Answer("done", None, result))
    assert gaps(store, "gone") == [(2, 3), (4, 4), (5, 5), (7, 8)]


def test_a_gap_is_asked_for_when_it_is_old_enough_and_once_a_day(store: Store) -> None:
    keep(store, 1, 5, 7)
    assert asks.ask_for_missing(store.database, PATIENCE, NOW + timedelta(minutes=14)) == 0
    assert [ask.wanted for ask in asked(store)] == [Wanted("e1", 2, 4), Wanted("e1", 6, 6)]
    assert asked(store) == []


def test_numbers_of_commands_rise_for_each_issuer(store: Store) -> None:
    keep(store, 2, 4)
    assert [ask.number for ask in asked(store)] == [1, 2]
    for issuer, number in (("care-team", 3), ("other", 1)):
        asks.make(store.database, ORGANISATION, GATEWAY, Wanted("e1", 1), NOW)
        ask = asks.next_to_send(store.database, issuer, NOW)
        assert ask is not None
        assert (ask.issuer, ask.number) == (issuer, number)
        asks.sent(store.database, ask.id, NOW)


def test_a_command_that_may_have_gone_out_goes_out_as_it_was(store: Store) -> None:
    asks.make(store.database, ORGANISATION, GATEWAY, Wanted("e1", 1), NOW)
    first = asks.next_to_send(store.database, "care-team", NOW)
    asks.make(store.database, ORGANISATION, OTHER, Wanted("e1", 1), NOW)
    assert asks.next_to_send(store.database, "care-team", LATER) == first


def test_what_comes_after_all_is_not_missing_any_more(store: Store) -> None:
    keep(store, 1, 4)
    (ask,) = asked(store)
    assert answer(store, ask, Answer("done", None, {"again": 2, "waiting": 0}))
    keep(store, 2, 3)
    assert gaps(store) == []


def test_what_the_gateway_has_purged_is_said_to_be_lost(store: Store) -> None:
    keep(store, 1, 9)
    (ask,) = asked(store)
    result = {"again": 3, "waiting": 0, "gone": [[1, 3]], "void": [[5, 5]]}
    answer(store, ask, Answer("done", None, result))
    assert (gaps(store, "gone"), gaps(store)) == ([(2, 3)], [(4, 4), (6, 8)])


def test_what_cannot_be_had_by_number_is_not_asked_for_again(store: Store) -> None:
    keep(store, 3)
    (ask,) = asked(store)
    answer(store, ask, Answer("failed", "epoch: not the one that this gateway counts in", None))
    (row,) = missing(store.database)
    assert (row.state, row.reason) == ("failed", "epoch: not the one that this gateway counts in")
    assert asks.ask_for_missing(store.database, PATIENCE, ASKING + timedelta(days=9)) == 0


def test_a_gateway_that_refuses_is_asked_again_tomorrow_and_its_reason_is_kept(
    store: Store,
) -> None:
    keep(store, 3)
    (ask,) = asked(store)
    answer(store, ask, Answer("refused", "the clock of this gateway is not set", None))
    (row,) = missing(store.database)
    assert (row.state, row.reason) == ("open", "the clock of this gateway is not set")
    for day in range(1, asks.TRIES + 1):
        asks.ask_for_missing(store.database, PATIENCE, ASKING + day * asks.LIFE)
    (row,) = missing(store.database)
    assert (row.state, row.reason) == ("failed", "the clock of this gateway is not set")


def test_a_command_that_lay_too_long_goes_out_with_a_new_number(store: Store) -> None:
    asks.make(store.database, ORGANISATION, GATEWAY, Wanted("e1", 1), NOW)
    first = asks.next_to_send(store.database, "care-team", NOW)
    later = asks.next_to_send(store.database, "care-team", NOW + asks.LIFE)
    assert first is not None
    assert later is not None
    assert (later.id, later.number, later.expires) == (first.id, 2, NOW + 2 * asks.LIFE)


def test_a_gateway_answers_for_itself_alone(store: Store) -> None:
    keep(store, 3)
    (ask,) = asked(store)
    assert not answer(store, ask, Answer("refused", None, None), gateway=OTHER)
    assert gaps(store) == [(1, 2)]


def test_nobody_is_asked_for_ever(store: Store) -> None:
    keep(store, 3)
    for day in range(asks.TRIES):
        moment = ASKING + day * asks.LIFE
        assert asks.ask_for_missing(store.database, PATIENCE, moment) == 1
    asks.ask_for_missing(store.database, PATIENCE, ASKING + asks.TRIES * asks.LIFE)
    assert [(row.state, row.reason) for row in missing(store.database)] == [
        ("failed", asks.UNANSWERED)
    ]


def test_what_was_given_up_and_comes_is_not_missing(store: Store) -> None:
    keep(store, 2)
    with store.database.writing():
        streams.take_out(store.database, 1, (1, 1), "gone", None)
    keep(store, 1)
    assert missing(store.database) == []


def test_a_new_reading_in_an_old_epoch_is_stored_and_noticed(store: Store) -> None:
    keep(store, 1)
    store.keep([delivery(2, epoch="e2", seq=1)], NOW)
    assert overview(store.database).notices == ()
    keep(store, 3)
    (notice,) = overview(store.database).notices
    assert (notice.gateway, notice.what, notice.times) == (GATEWAY, OLD_EPOCH, 1)
    assert len(held(store)) == 3


def test_of_more_gaps_than_anybody_reads_the_first_and_their_number_are_shown(
    store: Store,
) -> None:
    keep(store, *range(2, 500, 2))
    store.keep([delivery(501, epoch="e2", seq=2**62), delivery(502, epoch="e3", seq=2**62)], NOW)
    found = overview(store.database)
    assert (len(found.missing), found.missing[0].first) == (MOST_GAPS, 1)
    assert found.missing_gaps == 249 + 2
    assert found.missing_numbers == pytest.approx(2**63)


def test_status_says_how_many_more_there_are_and_lets_nobody_speak_to_the_terminal(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(store, *range(2, 500, 2))
    with store.database.writing():
        store.database.execute("UPDATE missing SET reason = ? WHERE first = 1", "no\x1b[2J\nno")
    assert commands.status(store.database, forget=False, as_json=False) == 1
    told = capsys.readouterr().out
    assert "missing:        249 numbers in 249 gaps" in told
    assert "! and 149 gaps more\n" in told
    assert "the gateway says: no?[2J?no\n" in told


def test_what_somebody_has_seen_is_not_shown_again(store: Store) -> None:
    store.keep([delivery(1), delivery(3, seq=1), delivery(5), delivery(9)], NOW)
    with store.database.writing():
        streams.take_out(store.database, 1, (2, 3), "gone", None)
    assert (seen(store.database), gaps(store, "gone")) == (2, [])
    assert overview(store.database).notices == ()
    assert gaps(store) == [(4, 4), (6, 8)]


def test_a_repeat_out_of_an_old_epoch_is_nothing_to_notice(store: Store) -> None:
    keep(store, 1)
    store.keep([delivery(2, epoch="e2", seq=1)], NOW)
    keep(store, 1)
    assert overview(store.database).notices == ()


def test_two_readings_under_one_number_are_both_stored_and_noticed(store: Store) -> None:
    store.keep([delivery(1), delivery(2), delivery(3, seq=2)], NOW)
    (notice,) = overview(store.database).notices
    assert notice.what == USED_TWICE
    assert [each.id for each in held(store)] == [reading(1), reading(2), reading(3)]


def held(store: Store) -> list[StoredReading]:
    return readings_of(store.database)
