"""What was measured goes when nobody needs it here; what it is known by stays."""

from datetime import timedelta
from typing import Literal

import pytest

from backend.arguments import parser, settings
from backend.store import Store, Verdict, onward, readings_of
from backend.store.looks import overview
from backend.store.retention import remove_bodies, remove_bodies_by_age
from tests.backend.parts import LATER, NOW, OTHER, delivery, reading

DAY = timedelta(days=1)


def hand_on(
    store: Store, position: int, status: Literal["delivered", "undeliverable"] = "delivered"
) -> None:
    onward.settle(store.database, position, status, None, LATER)


def tell(store: Store) -> None:
    onward.told(store.database, onward.untold(store.database, 100), LATER)


def whole(store: Store) -> list[int]:
    """Numbers of the readings whose octets are there."""
    return [int(str(each.id)[-12:]) for each in readings_of(store.database) if each.body]


def test_what_everybody_has_taken_goes_after_so_many_days_and_not_before(store: Store) -> None:
    store.keep([delivery(1), delivery(2), delivery(3)], NOW)
    hand_on(store, 1)
    hand_on(store, 2)
    tell(store)
    assert remove_bodies(store.database, LATER - DAY, 100) == 0
    assert remove_bodies(store.database, LATER + DAY, 1) == 1
    assert remove_bodies(store.database, LATER + DAY, 100) == 1
    assert remove_bodies(store.database, LATER + DAY, 100) == 0
    assert whole(store) == [3]


def test_what_is_undeliverable_or_not_told_yet_stays(store: Store) -> None:
    store.keep([delivery(1), delivery(2)], NOW)
    hand_on(store, 1, "undeliverable")
    tell(store)
    hand_on(store, 2)
    assert remove_bodies(store.database, LATER + DAY, 100) == 0
    onward.again(store.database, LATER)
    assert whole(store) == [1, 2]


def test_a_repeat_of_what_has_gone_is_a_duplicate_and_brings_nothing_back(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    hand_on(store, 1)
    tell(store)
    remove_bodies(store.database, LATER + DAY, 100)
    assert store.keep([delivery(1)], LATER) == [Verdict("duplicate")]
    (row,) = readings_of(store.database)
    assert (row.id, row.sha256, row.seq, row.deliveries) == (reading(1), delivery(1).sha256, 1, 2)
    assert row.body == b""
    assert store.keep([delivery(1, systolic="140")], LATER)[0].status == "rejected"


def test_a_copy_goes_with_its_original_and_one_that_comes_later_is_known(store: Store) -> None:
    store.keep([delivery(1), delivery(1, gateway=OTHER, epoch="e9")], NOW)
    hand_on(store, 1)
    tell(store)
    assert remove_bodies(store.database, LATER + DAY, 100) == 2
    by_identifier = delivery(1, gateway=OTHER, epoch="e8", name=reading(501))
    assert store.keep([by_identifier], LATER) == [Verdict("stored")]
    seen = overview(store.database)
    assert (seen.readings, seen.copies, seen.waiting, seen.delivered) == (1, 2, 0, 1)


def test_an_amended_version_is_handed_on_when_the_first_has_gone(store: Store) -> None:
    store.keep([delivery(1)], NOW)
    hand_on(store, 1)
    tell(store)
    remove_bodies(store.database, LATER + DAY, 100)
    amended = delivery(1, version=2, seq=2, systolic="122")
    assert store.keep([amended], LATER) == [Verdict("stored")]
    assert [(each.version, each.body) for each in readings_of(store.database)] == [
        (1, b""),
        (2, amended.body),
    ]
    assert overview(store.database).waiting == 1


def test_where_nothing_is_handed_on_age_alone_decides_and_the_queue_forgets_it(
    store: Store,
) -> None:
    store.keep([delivery(1)], NOW)
    store.keep([delivery(2)], NOW + 2 * DAY)
    assert remove_bodies_by_age(store.database, NOW + DAY, 100) == 1
    assert (whole(store), overview(store.database).waiting) == ([2], 1)
    assert store.keep([delivery(1)], NOW + 3 * DAY) == [Verdict("duplicate")]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ((), None),
        (("--onward", "o.toml"), 30),
        (("--onward", "o.toml", "--keep-days", "7"), 7),
        (("--keep-days", "7"), 7),
    ],
)
def test_it_is_thirty_days_where_readings_are_handed_on_and_for_ever_where_not(
    words: tuple[str, ...], days: int | None
) -> None:
    files = ("--ca", "a", "--cert", "c", "--key", "k")
    basis = ("run", "--host", "h", "--store", "s", "--org", "o", *files)
    found = settings(parser().parse_args([*basis, *words]))
    assert found.keep == (None if days is None else timedelta(days=days))
