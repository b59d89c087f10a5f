"""The outbox's own thread: what was handed to it is done, whoever waits or has gone away."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.outbox import devices
from gateway.outbox.database import Database
from gateway.outbox.store import Store, Unusable, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path, tmp_path / "outbox.key")
    yield store
    store.close()


def busy(_: Database, until: threading.Event) -> None:
    until.wait()


def count(db: Database) -> None:
    with db.transaction():
        db.count("steps")


def counted(db: Database) -> int:
    return int(db.one("SELECT n FROM counters WHERE name = 'steps'") or 0)


async def test_a_step_is_done_though_its_caller_was_cancelled_before_it_began(
    store: Store,
) -> None:
    free = threading.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(store(busy, free))
        caller = group.create_task(store(count))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.sleep(0)
        free.set()
    assert caller.cancelled()
    assert await store(counted) == 1


async def test_who_waits_for_a_change_hears_of_one_whose_caller_was_cancelled(
    store: Store,
) -> None:
    free = threading.Event()
    before = store.revision
    async with asyncio.TaskGroup() as group:
        group.create_task(store(busy, free))
        caller = group.create_task(store(count))
        waiting = group.create_task(store.changed(before))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.sleep(0)
        free.set()
        async with asyncio.timeout(5):
            assert await waiting == before + 1


async def test_who_waits_for_a_change_can_be_stirred_without_one(store: Store) -> None:
    before = store.revision
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(store.changed(before))
        await asyncio.sleep(0)
        store.stir()
        async with asyncio.timeout(5):
            assert await waiting > before


def test_a_second_process_is_kept_away_from_the_outbox(tmp_path: Path) -> None:
    first = open_store(tmp_path, tmp_path / "outbox.key")
    with pytest.raises(Unusable, match="another gateway"):
        open_store(tmp_path, tmp_path / "outbox.key")
    first.close()
    open_store(tmp_path, tmp_path / "outbox.key").close()


async def test_a_failing_step_fails_its_caller_alone(store: Store) -> None:
    with pytest.raises(devices.Known):
        await store(devices.by_id, 4711)
    await store(count)
    assert await store(counted) == 1


def test_steps_queued_when_the_loop_ends_are_done_before_the_file_is_closed(
    tmp_path: Path,
) -> None:
    free = threading.Event()
    store = open_store(tmp_path, tmp_path / "outbox.key")

    async def leave() -> None:
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(store(busy, free)), group.create_task(store(count))]
            await asyncio.sleep(0)
            for caller in callers:
                caller.cancel()

    asyncio.run(leave())
    free.set()
    store.close()
    again = open_store(tmp_path, tmp_path / "outbox.key")
    assert asyncio.run(again(counted)) == 1
    again.close()


async def test_what_is_urgent_is_done_before_all_that_waits(store: Store) -> None:
    free = threading.Event()
    done: list[str] = []

    def note(_: Database, what: str) -> None:
        done.append(what)

    async with asyncio.TaskGroup() as group:
        group.create_task(store(busy, free))
        for number in range(3):
            group.create_task(store(note, f"ordinary {number}"))
        group.create_task(store.urgently(note, "urgent"))
        await asyncio.sleep(0)
        free.set()
    assert done == ["urgent", "ordinary 0", "ordinary 1", "ordinary 2"]
