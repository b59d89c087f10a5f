"""What is handed on is so at a pace, once; and its gateway is told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import pytest

from backend.onward import FAULTS, Pace, Party, Target, TryAgain, Undeliverable, hand_on
from backend.store import Database, Delivery, Store, ToHandOn, gateways, onward, parties
from tests.backend.handing import ALONE, BOTH, due, order, settle
from tests.backend.parts import GATEWAY, LATER, NOW, ORGANISATION, OTHER, delivery, reading

P = ParamSpec("P")
T = TypeVar("T")

BRISK = Pace(per_second=1000, grace=timedelta(0), look_s=0.01)


def test_a_party_that_is_away_holds_back_nobody_else(store: Store) -> None:
    store.keep([delivery(1), delivery(2)], NOW)
    first = due(store, party="practice", names=BOTH)
    assert first is not None
    parties.postpone(store.database, "practice", first.position, "away", LATER)
    assert order(store, party="region", names=BOTH) == [(GATEWAY, 1), (GATEWAY, 2)]
    assert onward.untold(store.database, 100) == []
    assert order(store, party="practice", names=BOTH) == [(GATEWAY, 1), (GATEWAY, 2)]
    assert [each.status for each in onward.untold(store.database, 100)] == ["delivered"] * 2


def test_what_came_to_its_end_with_the_last_but_one_is_told_when_the_last_is_no_more(
    store: Store,
) -> None:
    store.keep([delivery(1)], NOW)
    order(store, party="region", names=BOTH)
    assert onward.untold(store.database, 100) == []
    parties.share(store.database, ["region"], 0, LATER)
    assert [each.status for each in onward.untold(store.database, 100)] == ["delivered"]


def test_a_reading_that_is_nothing_to_anybody_is_undeliverable(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    for party in BOTH:
        found = due(store, party=party, names=BOTH)
        assert found is not None
        at = (store.database, BOTH, party, found.position)
        parties.settle(*at, "nothing", None, LATER)
    assert outcomes(store) == [
        (1, "undeliverable", "no party is set up for it (organisation org1)")
    ]


def test_who_has_nothing_of_a_reading_does_not_matter_to_it(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    order(store, party="region", names=BOTH)
    found = due(store, party="practice", names=BOTH)
    assert found is not None
    at = (store.database, BOTH, "practice", found.position)
    parties.settle(*at, "nothing", None, LATER)
    assert outcomes(store) == [(1, "delivered", None)]


def test_a_reading_that_is_handed_on_again_begins_anew_with_its_tries(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    position = 1
    for _ in range(30):
        parties.share(store.database, ALONE, 0, LATER)
        parties.begin(store.database, "alone", position)
        parties.postpone(store.database, "alone", position, "500", LATER)
    at = (store.database, ALONE, "alone", position)
    parties.settle(*at, "undeliverable", "it fails again and again", LATER)
    assert onward.again(store.database, LATER) == 1
    found = due(store)
    assert found is not None
    assert found.attempts == 0


def test_what_stands_in_the_way_of_a_party_can_be_seen(store: Store) -> None:
    store.keep([delivery(1), delivery(2)], NOW)
    found = due(store)
    assert found is not None
    parties.begin(store.database, "alone", found.position)
    parties.postpone(store.database, "alone", found.position, "it answers 503", LATER)
    parties.trouble(store.database, "other", "people.toml: entry 3")
    first, second = parties.standings(store.database)
    assert (first.waiting, first.since, first.attempts) == (2, NOW, 1)
    assert (first.reason, first.trouble) == ("it answers 503", None)
    assert (second.party, second.waiting, second.trouble) == ("other", 0, "people.toml: entry 3")
    parties.trouble(store.database, "other", None)
    assert [each.party for each in parties.standings(store.database)] == ["alone"]


@dataclass
class Recorder:
    """Takes what it is given; may be told to make trouble first."""

    trouble: dict[Any, list[Exception]] = field(default_factory=dict)
    taken: list[ToHandOn] = field(default_factory=list)

    async def hand_on(self, reading: ToHandOn) -> None:
        if troubles := self.trouble.get(reading.id):
            raise troubles.pop(0)
        self.taken.append(reading)


async def handed_on(store: Store, target: Target, *deliveries: Delivery) -> None:
    await all_handed_on(store, [Party("alone", target)], *deliveries)


async def all_handed_on(store: Store, to: Sequence[Party], *deliveries: Delivery) -> None:
    """Until nothing waits any more."""
    store.keep(list(deliveries), datetime.now(UTC))

    async def disk(
        do: Callable[Concatenate[Database, P], T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        return do(store.database, *args, **named)

    async with asyncio.timeout(30):
        handing = asyncio.create_task(hand_on(disk, to, BRISK))
        while store.database.execute("SELECT 1 FROM onward WHERE state = 'waiting'"):
            assert not handing.done()
            await asyncio.sleep(0.01)
        handing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handing


def outcomes(store: Store) -> list[tuple[int, str, str | None]]:
    found = onward.untold(store.database, 100)
    return [(int(str(each.id)[-12:]), each.status, each.reason) for each in found]


async def test_readings_are_handed_on_with_their_octets_and_that_is_known(store: Store) -> None:
    target = Recorder()
    first, second = delivery(1), delivery(2)
    await handed_on(store, target, second, first)
    assert [each.body for each in target.taken] == [first.body, second.body]
    assert sorted(outcomes(store)) == [(1, "delivered", None), (2, "delivered", None)]


async def test_what_fails_is_tried_again_and_what_is_refused_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.onward.FIRST_S", 0.01)
    trouble: dict[Any, list[Exception]] = {
        reading(1): [TryAgain("no answer"), TryAgain("busy")],
        reading(2): [Undeliverable("no such patient")],
    }
    target = Recorder(trouble)
    await handed_on(store, target, delivery(1), delivery(2), delivery(3))
    assert [each.id for each in target.taken] == [reading(1), reading(3)]
    assert outcomes(store)[1] == (2, "undeliverable", "alone: no such patient")


class Faulty:
    """Fails at one reading in a way that nobody foresaw."""

    def __init__(self, at: Any) -> None:
        self.at, self.tries = at, 0
        self.taken: list[UUID] = []

    async def hand_on(self, reading_: ToHandOn) -> None:
        if reading_.id == self.at:
            self.tries += 1
            raise ValueError(f"121 of {reading_.id}")
        self.taken.append(reading_.id)


async def test_an_error_that_nobody_foresaw_stops_neither_the_others_nor_the_receiver(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("backend.onward.FIRST_S", 0.001)
    monkeypatch.setattr("backend.onward.CAP_S", 0.001)
    target = Faulty(reading(1))
    await handed_on(store, target, delivery(1), delivery(2))
    assert target.tries == FAULTS
    assert target.taken == [reading(2)]
    first, second = sorted(outcomes(store))
    assert first[:2] == (1, "undeliverable")
    assert str(first[2]).startswith(f"alone: the receiver failed at it {FAULTS} times")
    assert second == (2, "delivered", None)
    assert "a fault of this receiver (ValueError at backend/onward.py" in caplog.text
    assert "121" not in caplog.text


async def test_a_part_that_cannot_be_cut_out_is_a_fault_of_one_reading(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.onward.CAP_S", 0.001)

    def part(reading_: ToHandOn) -> bytes:
        if reading_.id == reading(1):
            raise KeyError("entry")
        return reading_.body

    target = Recorder()
    await all_handed_on(store, [Party("alone", target, part)], delivery(1), delivery(2))
    assert [each.id for each in target.taken] == [reading(2)]


def test_a_receiver_that_dies_at_a_reading_again_and_again_is_found_out(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    found = due(store)
    assert found is not None
    begun = [parties.begin(store.database, "alone", found.position) for _ in range(3)]
    assert begun == [0, 1, 2]
    assert parties.begin(store.database, "alone", found.position, anew=True) == 0
    parties.postpone(store.database, "alone", found.position, "a fault", LATER, meant=False)
    assert parties.begin(store.database, "alone", found.position) == 1
    parties.postpone(store.database, "alone", found.position, "busy", LATER)
    assert parties.begin(store.database, "alone", found.position) == 0
    settle(store, found, "delivered")
    assert store.database.execute("SELECT * FROM onward_begun") == []


async def test_an_older_version_is_not_given_to_the_target(store: Store) -> None:
    target = Recorder()
    await handed_on(store, target, delivery(1, version=2, seq=2))
    await handed_on(store, target, delivery(1))
    assert [each.version for each in target.taken] == [2]
    assert outcomes(store)[1] == (1, "delivered", onward.LATER_VERSION)


def test_what_was_undeliverable_is_handed_on_again_when_told(store: Store) -> None:
    store.keep([delivery(1), delivery(2)], NOW)
    for position, status in ((1, "undeliverable"), (2, "delivered")):
        onward.settle(store.database, position, status, "x" * 900, NOW)  # type: ignore[arg-type]
    told = onward.untold(store.database, 100)
    assert [len(each.reason or "") for each in told] == [500, 500]
    onward.told(store.database, told, NOW)
    assert onward.again(store.database, LATER) == 1
    assert order(store) == [(GATEWAY, 1)]
    assert [each.status for each in onward.untold(store.database, 100)] == ["delivered"]


def test_who_sent_a_copy_is_told_as_well_whenever_it_came(store: Store) -> None:
    store.keep([delivery(1), delivery(1, gateway=OTHER)], NOW)
    order(store)
    told = onward.untold(store.database, 100)
    assert [(each.gateway, each.status) for each in told] == [
        (GATEWAY, "delivered"),
        (OTHER, "delivered"),
    ]
    third = "gw-1111111111"
    store.keep([delivery(1, gateway=third)], NOW)  # while the others are being told
    onward.told(store.database, told, NOW)
    told = onward.untold(store.database, 100)
    assert [each.gateway for each in told] == [GATEWAY, OTHER, third]
    onward.told(store.database, told, NOW)
    assert onward.untold(store.database, 100) == []
    store.keep([delivery(1, gateway="gw-2222222222")], NOW)
    assert len(onward.untold(store.database, 100)) == 4


def test_a_gateway_that_moved_is_told_where_it_listens_now(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    order(store)
    assert [each.organisation for each in onward.untold(store.database, 100)] == [ORGANISATION]
    with store.database.writing():
        for organisation, at in (("org2", LATER), (ORGANISATION, NOW)):
            word = gateways.Word(organisation, GATEWAY, online=True, version="1", at=at)
            gateways.heard(store.database, word, at)
    assert [each.organisation for each in onward.untold(store.database, 100)] == ["org2"]


def test_after_a_party_was_added_who_refused_is_called_again_as_well(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    found = due(store)
    assert found is not None
    settle(store, found, "undeliverable")
    onward.again(store.database, LATER)
    for party in ("alone", "new"):
        assert order(store, party=party, names=["alone", "new"]) == [(GATEWAY, 1)]


def test_a_party_that_is_added_after_it_was_told_to_try_again_takes_part(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    found = due(store)
    assert found is not None
    settle(store, found, "undeliverable")
    assert order(store, party="new", names=["alone", "new"]) == []
    onward.again(store.database, LATER)
    for party in ("new", "alone"):
        assert order(store, party=party, names=["alone", "new"]) == [(GATEWAY, 1)]


def test_what_a_gateway_has_been_told_is_told_once(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    order(store)
    told = onward.untold(store.database, 100)
    onward.told(store.database, told, NOW)
    assert (len(told), onward.untold(store.database, 100)) == (1, [])
