"""A store of version 0.1 goes on where it was."""

import sqlite3
from contextlib import closing
from pathlib import Path

from backend.store import Store, Verdict, dead_letters, open_database, readings_of
from backend.store.looks import missing, overview
from tests.backend.parts import GATEWAY, LATER, NOW, OTHER, delivery, reading

# As 0.1.0 made them.
OLD = """
CREATE TABLE reading (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    late INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;
CREATE TABLE refusal (
    topic TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    reason TEXT NOT NULL,
    first_at TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (topic, sha256, reason)
) STRICT;
"""


def old_store(path: Path) -> None:
    """With readings 3, 1 and 5 of one gateway, and something that was refused."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(OLD)
        for number in (3, 1, 5):
            each = delivery(number)
            database.execute(
                "INSERT INTO reading VALUES (?, ?, ?, ?, ?, 'e1', ?, 0, ?, 2)",
                (str(each.id), 1, each.sha256, each.body, GATEWAY, number, NOW.isoformat()),
            )
        database.execute(
            "INSERT INTO refusal VALUES ('some/topic', 'c', 'body: not JSON', ?, 4)",
            (NOW.isoformat(),),
        )
        database.commit()


def opened(path: Path) -> Store:
    old_store(path)
    return Store(open_database(path))


def test_everything_held_is_held_in_its_order(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    held = readings_of(store.database)
    assert [each.id for each in held] == [reading(3), reading(1), reading(5)]
    assert [(each.first_at, each.deliveries, each.seq) for each in held[:2]] == [
        (NOW, 2, 3),
        (NOW, 2, 1),
    ]
    (letter,) = dead_letters.listed(store.database)
    assert (letter.reason, letter.deliveries, letter.octets) == ("body: not JSON", 4, None)
    store.close()


def test_a_repeat_and_a_copy_are_known_again(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    assert store.keep([delivery(1)], LATER) == [Verdict("duplicate")]
    store.keep([delivery(1, gateway=OTHER)], LATER)
    assert overview(store.database).copies == 1
    store.close()


def test_its_numbers_go_on_and_what_was_missing_is_seen(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    store.keep([delivery(7)], LATER)
    assert [(each.first, each.last) for each in missing(store.database)] == [(2, 2), (4, 4), (6, 6)]
    store.close()


def test_what_had_been_exported_is_not_handed_on(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    assert overview(store.database).waiting == 0
    store.close()


def test_it_is_done_once(tmp_path: Path) -> None:
    opened(tmp_path / "store.db").close()
    again = Store(open_database(tmp_path / "store.db"))
    assert len(readings_of(again.database)) == 3
    again.close()
