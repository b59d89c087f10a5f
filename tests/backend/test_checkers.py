"""Bodies are examined beside the receiver; whatever becomes of the examiner, each is answered."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backend import checkers
from backend.checkers import DIED, Checkers, sensible_count
from backend.examination import Examination, examined
from backend.store import dead_letters, open_database
from gateway import contract
from gateway.uplink import Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import GATEWAY, TOPICS, message, reading
from tests.backend.running import LONG_S, Receiver

DEADLY = "deadly"  # an id of a body that ends whoever examines it


def asking(number: int) -> Examination:
    return Examination(message(number).body, reading(number), 1, GATEWAY)


@asynccontextmanager
async def checking(count: int) -> AsyncIterator[Checkers]:
    check = Checkers(count)
    async with asyncio.TaskGroup() as group, asyncio.timeout(LONG_S):
        task = group.create_task(check.run(), name="checkers")
        yield check
        task.cancel()


def children(parent: int) -> set[int]:
    """Processes that *parent* has started and that live, checkers among them."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(") ")[2].split()
                words = (folder / "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            if fields[0] != "Z" and int(fields[1]) == parent and b"backend.checker" in words:
                found.add(int(folder.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110 -- the kernel has no event for it
            await asyncio.sleep(0.02)


async def until_gone(pids: set[int]) -> None:
    await until(lambda: not any(map(alive, pids)))


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkers that end themselves as soon as a body says so, as one that exhausts memory would."""
    hook = (
        "import os, signal\n"
        "import backend.bundle as bundle\n"
        "examine = bundle.examine\n"
        "def _examine(body, *more):\n"
        f"    if body == {DEADLY.encode()!r}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return examine(body, *more)\n"
        "bundle.examine = _examine\n"
    )
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'backend.checker' in sys.orig_argv:\n"
        + "".join(f"    {line}\n" for line in hook.splitlines())
    )
    path = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_each_body_has_its_own_answer_in_the_order_of_asking(count: int) -> None:
    asked = [asking(number) for number in range(1, 81)]
    asked[7] = asked[7]._replace(body=b"{}")
    asked[60] = asked[60]._replace(version=2)
    async with checking(count) as check:
        assert await check(asked) == [examined(each) for each in asked]


async def test_a_process_that_is_killed_is_replaced_and_nothing_is_left_out() -> None:
    asked = [asking(number) for number in range(1, 201)]
    expected = [examined(each) for each in asked]
    async with checking(2) as check:
        assert await check(asked[:1]) == expected[:1]
        before = children(os.getpid())
        answering = asyncio.ensure_future(check(asked))
        await asyncio.sleep(0)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert await answering == expected
        await until_gone(before)
        await until(lambda: len(children(os.getpid())) == 2)
        assert await check(asked[:3]) == expected[:3]
    await until_gone(children(os.getpid()))


async def test_one_that_is_killed_while_it_has_nothing_to_do_is_replaced_at_once() -> None:
    async with checking(1) as check:
        await check([asking(1)])
        (before,) = children(os.getpid())
        os.kill(before, signal.SIGKILL)
        await until(lambda: bool(children(os.getpid()) - {before}))
        assert await check([asking(1)]) == [examined(asking(1))]


async def test_a_body_that_ends_whoever_examines_it_is_refused_and_costs_the_others_nothing(
    deadly: None,
) -> None:
    asked = [asking(number) for number in range(1, 41)]
    expected = [examined(each) for each in asked]
    asked[11] = asked[11]._replace(body=DEADLY.encode())
    async with checking(1) as check:
        found = await check(asked)
    assert found[11] == DIED
    assert [*found[:11], *found[12:]] == [*expected[:11], *expected[12:]]


async def test_a_process_that_does_not_answer_is_as_good_as_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with checking(1) as check:
        await check([asking(1)])
        monkeypatch.setattr(checkers, "PATIENCE_S", 0.2)
        (before,) = children(os.getpid())
        os.kill(before, signal.SIGSTOP)
        answering = asyncio.ensure_future(check([asking(2)]))
        await until_gone({before})
        monkeypatch.setattr(checkers, "PATIENCE_S", LONG_S)
        assert await answering == [examined(asking(2))]


def test_the_receiver_keeps_a_processor_and_needs_no_more_than_a_few() -> None:
    assert 1 <= sensible_count() <= checkers.ENOUGH


async def test_a_deadly_message_is_a_dead_letter_with_the_reason(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path, deadly: None
) -> None:
    body = DEADLY.encode()
    bad = replace(message(1), body=body, sha256=hashlib.sha256(body).hexdigest())
    sent = [contract.observation(TOPICS, each, 600) for each in (bad, message(2))]
    async with Receiver(broker, authority, tmp_path / "s.db", "--checkers", "1") as receiver:
        async with uplink.connect() as session:
            receipts = await running.answers(session, sent, TOPICS)
        assert [(each.status, each.reason) for each in receipts] == [
            ("rejected", DIED),
            ("stored", None),
        ]
        database = open_database(receiver.store)
        (letter,) = dead_letters.listed(database)
        kept = dead_letters.body(database, letter.number)
        database.close()
    assert (kept, letter.reason) == (body, DIED)


async def test_a_receiver_that_is_killed_leaves_no_process_behind(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    receiver = Receiver(broker, authority, tmp_path / "store.db", "--checkers", "1")
    await receiver.start()
    async with uplink.connect() as session:
        await running.answers(session, [contract.observation(TOPICS, message(1), 600)], TOPICS)
    started = children(receiver.pid)
    assert len(started) == 1
    for pid in started:
        os.kill(pid, signal.SIGSTOP)  # so that it cannot see that the pipe is closed
    await receiver.kill()
    await until_gone(started)


async def test_a_receiver_that_is_told_to_end_ends_its_processes(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    async with Receiver(broker, authority, tmp_path / "store.db", "--checkers", "2") as receiver:
        await until(lambda: len(children(receiver.pid)) == 2)
        started = children(receiver.pid)
    await until_gone(started)
