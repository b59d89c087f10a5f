"""Stored once, counted each time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from backend.store import Delivery, Refusal, Store, Verdict, readings, refusals

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
READING = Delivery(
    UUID("00000000-0000-5000-8000-000000000001"),
    1,
    "a" * 64,
    b"bundle",
    "gw-0123456789",
    "epoch",
    7,
    late=True,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def test_the_first_delivery_is_stored(store: Store, path: Path) -> None:
    assert store.keep([READING], NOW) == [Verdict("stored")]
    (row,) = readings(path)
    assert (row.id, row.version, row.body) == (READING.id, 1, b"bundle")
    assert (row.gateway, row.epoch, row.seq, row.late) == ("gw-0123456789", "epoch", 7, True)
    assert (row.first_at, row.deliveries) == (NOW, 1)


def test_a_repeat_is_a_duplicate_and_counted(store: Store, path: Path) -> None:
    store.keep([READING], NOW)
    assert store.keep([READING, READING], LATER) == [Verdict("duplicate")] * 2
    (row,) = readings(path)
    assert (row.first_at, row.deliveries) == (NOW, 3)


def test_other_octets_under_the_same_name_are_rejected(store: Store, path: Path) -> None:
    store.keep([READING], NOW)
    (verdict,) = store.keep([replace(READING, sha256="b" * 64, body=b"other")], LATER)
    assert verdict.status == "rejected"
    assert [row.body for row in readings(path)] == [b"bundle"]


def test_a_new_version_stands_beside_the_old(store: Store, path: Path) -> None:
    amended = replace(READING, version=2, sha256="b" * 64, body=b"amended", seq=8)
    assert store.keep([READING, amended], NOW) == [Verdict("stored")] * 2
    assert [row.version for row in readings(path)] == [1, 2]


def test_a_refusal_is_remembered_without_its_body(store: Store, path: Path) -> None:
    refusal = Refusal("some/topic", "c" * 64, "body: not JSON")
    assert store.keep([refusal, refusal], NOW) == [Verdict("rejected", "body: not JSON")] * 2
    assert refusals(path) == [(refusal, 2)]


def test_what_was_stored_is_there_after_a_restart(path: Path) -> None:
    first = Store(path)
    first.keep([READING], NOW)
    first.close()
    second = Store(path)
    assert second.keep([READING], LATER) == [Verdict("duplicate")]
    second.close()


def test_a_commit_is_synchronous(store: Store) -> None:
    database = store._database
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_batch_that_fails_leaves_nothing(store: Store, path: Path) -> None:
    broken = replace(READING, version=2, seq=2**64)
    with pytest.raises(OverflowError):
        store.keep([READING, broken], NOW)
    assert list(readings(path)) == []


def test_reading_the_store_does_not_stop_the_receiver(store: Store, path: Path) -> None:
    store.keep([READING], NOW)
    for _ in readings(path):
        store.keep([READING], LATER)  # a reader holds nobody up
    assert [row.deliveries for row in readings(path)] == [2]
