"""Stored once, counted each time; on SQLite and on PostgreSQL alike."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.bundle import Contents
from backend.store import (
    Delivery,
    Refusal,
    Store,
    StoreError,
    StoreUnusable,
    Verdict,
    dead_letters,
    open_database,
    parties,
    readings,
    readings_of,
)
from backend.store.due import Due
from tests.backend.parts import GATEWAY, LATER, NOW, OTHER, delivery, reading
from tests.backend.postgres import Postgres

READING = delivery(1)
REFUSAL = Refusal("some/topic", "c" * 64, "body: not JSON", b"{")


def held(store: Store) -> list[tuple[int, int]]:
    """Numbers and versions of the readings that count."""
    return [(int(str(each.id)[-12:]), each.version) for each in readings_of(store.database)]


def test_the_first_delivery_is_stored(store: Store) -> None:
    assert store.keep([READING], NOW) == [Verdict("stored")]
    (row,) = readings_of(store.database)
    assert (row.id, row.version, row.body) == (reading(1), 1, READING.body)
    assert (row.gateway, row.epoch, row.seq, row.late) == (GATEWAY, "e1", 1, False)
    assert (row.first_at, row.deliveries) == (NOW, 1)


def test_a_repeat_is_a_duplicate_and_counted(store: Store) -> None:
    store.keep([READING], NOW)
    assert store.keep([READING, READING], LATER) == [Verdict("duplicate")] * 2
    (row,) = readings_of(store.database)
    assert (row.first_at, row.deliveries) == (NOW, 3)


def test_other_octets_under_the_same_name_are_rejected_and_kept_for_a_human(store: Store) -> None:
    store.keep([READING], NOW)
    other = delivery(1, systolic="122")
    (verdict,) = store.keep([other], LATER)
    assert verdict == Verdict("rejected", "held already, with another digest")
    assert [row.body for row in readings_of(store.database)] == [READING.body]
    (letter,) = dead_letters.listed(store.database)
    assert letter.reason == verdict.reason
    assert dead_letters.body(store.database, letter.number) == other.body


def test_a_new_version_stands_beside_the_old(store: Store) -> None:
    amended = delivery(1, version=2, seq=2, systolic="122")
    assert store.keep([READING, amended], NOW) == [Verdict("stored")] * 2
    assert held(store) == [(1, 1), (1, 2)]


def test_a_refusal_is_kept_once_and_counted(store: Store) -> None:
    assert store.keep([REFUSAL, REFUSAL], NOW) == [Verdict("rejected", "body: not JSON")] * 2
    (letter,) = dead_letters.listed(store.database)
    assert (letter.topic, letter.reason, letter.deliveries) == (REFUSAL.topic, REFUSAL.reason, 2)
    assert dead_letters.body(store.database, letter.number) == b"{"


def test_rubbish_does_not_fill_the_disk(store: Store) -> None:
    rubbish = [replace(REFUSAL, sha256=f"{n:064}") for n in range(dead_letters.WITH_BODY + 5)]
    store.keep([*rubbish, replace(REFUSAL, topic="another", body=bytes(300_000))], NOW)
    bodies = [letter.octets for letter in dead_letters.listed(store.database)]
    assert [octets is None for octets in bodies].count(True) == 6
    assert len(bodies) == len(rubbish) + 1


def test_of_more_dead_letters_than_anybody_reads_only_the_number_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST", 3)
    rubbish = [replace(REFUSAL, sha256=f"{n:064}") for n in range(9)]
    store.keep([*rubbish, rubbish[0], replace(REFUSAL, topic="another")], NOW)
    found = dead_letters.listed(store.database)
    assert [(each.topic, each.deliveries) for each in found] == [
        *(("some/topic", times) for times in (2, 1, 1, 6)),
        ("another", 1),
    ]
    assert found[3].reason == dead_letters.TOO_MANY
    for letter in (found[0], found[3]):
        dead_letters.discard(store.database, letter.number)
    store.keep(rubbish[7:], NOW)
    assert [each.sha256 for each in dead_letters.listed(store.database)][-2:] == [
        rubbish[7].sha256,
        "",
    ]


def test_of_user_properties_no_more_is_kept_than_ours_need(store: Store) -> None:
    pairs = tuple((f"name {number}", "x" * 500) for number in range(100))
    store.keep([replace(REFUSAL, properties=pairs)], NOW)
    ((kept,),) = store.database.execute("SELECT properties FROM dead_letter")
    assert 3000 < len(kept) <= dead_letters.PROPERTIES + 200


def test_a_dead_letter_is_forgotten_when_told(store: Store) -> None:
    store.keep([REFUSAL], NOW)
    (letter,) = dead_letters.listed(store.database)
    assert dead_letters.discard(store.database, letter.number)
    assert not dead_letters.discard(store.database, letter.number)
    assert dead_letters.listed(store.database) == []


def test_a_replaced_gateway_that_sends_the_same_measurement_is_confirmed(store: Store) -> None:
    store.keep([READING], NOW)
    again = delivery(1, gateway=OTHER, epoch="e9")
    assert again.sha256 != READING.sha256
    assert store.keep([again], LATER) == [Verdict("stored")]
    assert store.keep([again], LATER) == [Verdict("duplicate")]
    assert held(store) == [(1, 1)]


def test_a_new_outbox_of_the_same_gateway_may_say_it_in_other_octets(store: Store) -> None:
    store.keep([READING], NOW)
    again = replace(READING, sha256="b" * 64, place=replace(READING.place, epoch="e2"))
    assert store.keep([again], LATER) == [Verdict("stored")]
    assert held(store) == [(1, 1)]


def test_another_gateway_with_other_contents_under_the_same_name_is_rejected(
    store: Store,
) -> None:
    store.keep([READING], NOW)
    (verdict,) = store.keep([delivery(1, gateway=OTHER, systolic="140")], LATER)
    assert verdict == Verdict("rejected", "held already from another outbox, with other contents")
    assert held(store) == [(1, 1)]


def test_an_amended_reading_is_known_again_from_a_gateway_that_never_saw_the_first(
    store: Store,
) -> None:
    store.keep([READING, delivery(1, version=2, seq=2, systolic="122")], NOW)
    first_for_it = delivery(1, gateway=OTHER, epoch="e9", systolic="122")
    # It knows no version before: `final` there, `amended` here.
    digest = delivery(1, version=2, systolic="122").contents.digest
    first_for_it = replace(first_for_it, contents=Contents(digest))
    assert store.keep([first_for_it], LATER) == [Verdict("stored")]
    assert held(store) == [(1, 1), (1, 2)]


def test_one_measurement_under_two_ids_is_known_by_its_phd_identifier(store: Store) -> None:
    store.keep([READING], NOW)
    other_id = delivery(1, gateway=OTHER, epoch="e9", name=reading(501))
    assert READING.contents.phd == other_id.contents.phd != ()
    assert store.keep([other_id], LATER) == [Verdict("stored")]
    assert held(store) == [(1, 1)]


def test_two_measurements_with_one_phd_identifier_and_other_values_are_two(store: Store) -> None:
    store.keep([READING], NOW)
    other = delivery(1, gateway=OTHER, epoch="e9", name=reading(501), systolic="140")
    store.keep([other], LATER)
    assert held(store) == [(1, 1), (501, 1)]


def measured(each: Delivery, minutes: float) -> Delivery:
    """The same, so many minutes later."""
    assert each.contents.at is not None
    at = each.contents.at + int(60 * minutes)
    return replace(each, contents=replace(each.contents, at=at))


def test_two_measurements_with_one_stamp_of_the_meter_at_two_times_are_two(store: Store) -> None:
    store.keep([READING], NOW)
    again = delivery(1, gateway=OTHER, epoch="e9", name=reading(501))
    second = delivery(1, gateway=OTHER, epoch="e9", seq=2, name=reading(502))
    store.keep([measured(again, 60), measured(second, 4)], NOW)
    assert held(store) == [(1, 1), (501, 1)]


def test_another_time_under_the_same_name_is_a_contradiction(store: Store) -> None:
    store.keep([READING], NOW)
    again = delivery(1, gateway=OTHER, epoch="e9")
    (verdict,) = store.keep([measured(again, 60)], LATER)
    assert verdict == Verdict("rejected", "held already from another outbox, with other contents")
    unknown = replace(again, contents=replace(again.contents, at=None))
    assert store.keep([unknown], LATER) == [Verdict("stored")]
    assert held(store) == [(1, 1)]


def test_an_amended_version_of_a_copy_is_known_again(store: Store) -> None:
    other: dict[str, Any] = {"gateway": OTHER, "epoch": "e9", "name": reading(501)}
    store.keep([READING, delivery(1, **other)], NOW)
    store.keep([delivery(1, version=2, seq=2, systolic="140")], NOW)
    store.keep([delivery(1, version=2, seq=2, systolic="140", **other)], LATER)
    assert held(store) == [(1, 1), (1, 2)]


def test_an_amended_version_that_the_first_gateway_never_sent_is_kept(store: Store) -> None:
    other: dict[str, Any] = {"gateway": OTHER, "epoch": "e9", "name": reading(501)}
    store.keep([READING, delivery(1, **other)], NOW)
    store.keep([delivery(1, version=2, seq=2, systolic="140", **other)], LATER)
    assert held(store) == [(1, 1), (501, 2)]


def of(organisation: str, each: Delivery) -> Delivery:
    return replace(each, place=replace(each.place, organisation=organisation))


def test_each_organisation_holds_its_own(store: Store) -> None:
    """By the same name, by the same octets, and by the PHD identifier."""
    by_name = of("org2", delivery(1, gateway=OTHER, epoch="e9"))
    by_identifier = of("org3", delivery(1, gateway=OTHER, epoch="e10", name=reading(501)))
    moved = of("org4", replace(READING, place=replace(READING.place, epoch="e2")))
    came = [READING, by_name, by_identifier, moved]
    assert store.keep(came, NOW) == [Verdict("stored")] * 4
    assert held(store) == [(1, 1), (1, 1), (501, 1), (1, 1)]
    assert store.keep(came, LATER) == [Verdict("duplicate")] * 4


def test_a_version_of_another_organisation_takes_the_place_of_none_of_ours(store: Store) -> None:
    store.keep([READING], NOW)
    parties.share(store.database, ["alone"], 0, NOW)
    later = of("org2", delivery(1, gateway=OTHER, epoch="e9", version=2, systolic="131"))
    store.keep([later], NOW)
    parties.share(store.database, ["alone"], 1, NOW)
    parties.settle(store.database, ["alone"], "alone", 2, "delivered", None, NOW)
    found = Due("alone", timedelta(0)).next(store.database, LATER)
    assert found is not None
    assert (found.version, found.by_then) == (1, None)


def test_one_outbox_never_calls_two_measurements_by_one_phd_identifier(store: Store) -> None:
    store.keep([READING, delivery(1, seq=2, name=reading(501))], NOW)
    assert held(store) == [(1, 1), (501, 1)]


def test_what_was_stored_is_there_after_a_restart(address: str) -> None:
    first = Store(open_database(address))
    first.keep([READING], NOW)
    first.close()
    second = Store(open_database(address))
    assert second.keep([READING], LATER) == [Verdict("duplicate")]
    second.close()


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    class Broken(Store):
        def _insert(self, *what: Any) -> None:
            super()._insert(*what)
            raise StoreError("no")

    with pytest.raises(StoreError):
        Broken(store.database).keep([READING, delivery(2)], NOW)
    assert held(store) == []
    assert store.keep([READING], NOW) == [Verdict("stored")]


def test_in_one_batch_or_one_by_one_comes_to_the_same(store: Store, tmp_path: Path) -> None:
    """Repeats, copies, versions, contradictions, gaps and numbers used twice, in any order."""
    pool: list[Delivery | Refusal] = [
        *(delivery(number) for number in (1, 2, 3, 5, 6, 9)),
        delivery(2, version=2, seq=12),
        delivery(3, seq=4, systolic="140"),
        delivery(1, gateway=OTHER, epoch="e9"),
        delivery(5, gateway=OTHER, epoch="e9", name=reading(501)),
        delivery(6, gateway=OTHER, epoch="e9", systolic="90"),
        delivery(20, epoch="e2", seq=3),
        delivery(21, seq=6),
        replace(REFUSAL, place=delivery(8).place),
    ]
    dice = random.Random(7)  # noqa: S311 -- the same numbers each time
    for round_ in range(12):
        one_by_one = Store(open_database(tmp_path / f"{round_}.db"))
        came = dice.choices(pool, k=20)
        expected = [verdict for each in came for verdict in one_by_one.keep([each], NOW)]
        assert store.keep(came, NOW) == expected
        assert facts(store) == facts(one_by_one)
        one_by_one.close()
        with store.database.writing():
            for table in TABLES:
                store.database.execute(f"DELETE FROM {table}")  # noqa: S608 -- constants


TABLES = ("reading", "phd_identifier", "stream", "missing", "onward", "notice", "dead_letter")
READINGS = """SELECT r.id, r.version, r.sha256, r.gateway, r.epoch, r.seq, r.deliveries,
    o.sha256, o.gateway FROM reading r LEFT JOIN reading o ON o.number = r.copy_of"""
IDENTIFIERS = """SELECT p.value, r.sha256
    FROM phd_identifier p JOIN reading r ON r.number = p.reading"""
STREAMS = "SELECT organisation, gateway, epoch, highest FROM stream"
MISSING = """SELECT s.gateway, s.epoch, m.first, m.last, m.state, m.asked
    FROM missing m JOIN stream s ON s.number = m.stream"""
QUEUE = """SELECT r.sha256, s.gateway, s.epoch, o.seq, o.state FROM onward o
    JOIN reading r ON r.number = o.reading JOIN stream s ON s.number = o.stream"""
NOTICES = "SELECT gateway, what, times FROM notice"
LETTERS = "SELECT topic, sha256, reason, deliveries FROM dead_letter"
FACTS = (READINGS, IDENTIFIERS, STREAMS, MISSING, QUEUE, NOTICES, LETTERS)


def facts(store: Store) -> list[list[tuple[Any, ...]]]:
    """Everything but the numbers that the database gave."""
    return [sorted(store.database.execute(sql), key=str) for sql in FACTS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def sqlite(path: Path) -> Iterator[Store]:
    opened = Store(open_database(path))
    yield opened
    opened.close()


def test_a_commit_of_sqlite_is_synchronous(sqlite: Store) -> None:
    assert sqlite.database.execute("PRAGMA synchronous") == [(2,)]
    assert sqlite.database.execute("PRAGMA journal_mode") == [("wal",)]


def test_reading_sqlite_does_not_stop_the_receiver(sqlite: Store, path: Path) -> None:
    sqlite.keep([READING], NOW)
    for _ in readings(path):
        sqlite.keep([READING], LATER)  # a reader holds nobody up
    assert [row.deliveries for row in readings(path)] == [2]


def test_a_file_that_is_no_database_cannot_be_used(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_database(path)


def test_an_address_that_makes_no_sense_is_said_at_once() -> None:
    with pytest.raises(StoreUnusable, match="address of the database"):
        open_database("postgresql://host?colour=green")


def test_an_address_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(StoreUnusable, match="address of the database") as caught:
        open_database("postgresql://user:hush%zz@host/receiver")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_commit_of_postgresql_is_synchronous_whatever_the_server_says(
    postgres: Postgres,
) -> None:
    database = open_database(postgres.database())
    assert database.execute("SHOW synchronous_commit") == [("on",)]
    database.close()


def test_a_lost_connection_is_an_error_and_then_made_anew(postgres: Postgres) -> None:
    address = postgres.database()
    store = Store(open_database(address))
    store.keep([READING], NOW)
    postgres.hang_up(address)
    with pytest.raises(StoreError):
        store.keep([delivery(2)], NOW)
    assert store.keep([delivery(2)], NOW) == [Verdict("stored")]
    assert held(store) == [(1, 1), (2, 1)]
    store.close()


def test_one_of_several_leads_until_it_is_gone(postgres: Postgres) -> None:
    address = postgres.database()
    first, second = open_database(address), open_database(address)
    assert [first.leads(), second.leads(), first.leads()] == [True, False, True]
    first.close()
    deadline = time.monotonic() + 60
    while not second.leads():  # the server notices the end of a connection a moment later
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second.close()
