"""Who examines bodies: processes beside the receiver, or a thread in it."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from backend.checker import READY
from backend.examination import LENGTH, Examination, Found, examined, found_by, question

log = logging.getLogger("hjemgate.receiver")

# More of them only wait for what one receiver does by itself: MQTT and the store.
ENOUGH = 2
AT_ONCE = 25  # bodies in one question
AHEAD = 2  # questions to one process, so that it need not wait for the next
DEADLY = 2  # processes that died of it when it was asked alone
PATIENCE_S = 60.0  # for one answer, which takes milliseconds; and for a start
PAUSE_S = 5.0  # before another try to start one that did not come up

DIED = f"body: its check ended {DEADLY} times without an answer"


def sensible_count() -> int:
    """One processor is left to the receiver itself."""
    return max(1, min(ENOUGH, len(os.sched_getaffinity(0)) - 1))


class Checkers:
    """*count* processes; 0: a thread of our own, and nothing that could die alone.

    `run` keeps them alive. Calls may be made before, and are answered when there is a process.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._questions: asyncio.Queue[list[_Question]] = asyncio.Queue()
        self._alone = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(_Slot(self._questions).run(), name=f"checker {number}")

    async def __call__(self, asked: Sequence[Examination]) -> Sequence[Found]:
        if self._count == 0:
            async with self._alone:
                return await asyncio.to_thread(lambda: list(map(examined, asked)))
        loop = asyncio.get_running_loop()
        made = [_Question(each, loop.create_future()) for each in asked]
        for start in range(0, len(made), AT_ONCE):
            self._questions.put_nowait(made[start : start + AT_ONCE])
        return [await each.answer for each in made]


@dataclass(slots=True)
class _Question:
    asked: Examination
    answer: asyncio.Future[Found]
    deaths: int = 0  # of processes that were asked this alone


class _Slot:
    """One process at a time. One that ends is replaced, and what it was asked is asked again."""

    def __init__(self, questions: asyncio.Queue[list[_Question]]) -> None:
        self._questions = questions
        self._again: deque[list[_Question]] = deque()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            async with _process() as (process, pipes):
                if await _is_ready(pipes.answers):
                    await _Life(process, pipes, self._questions, self._again).run()
                    log.error("a check process has ended; starting another")
                    continue
            log.error("a check process does not start; trying again in %.0f s", PAUSE_S)
            await asyncio.sleep(PAUSE_S)


@dataclass(frozen=True, slots=True)
class _Pipes:
    questions: asyncio.StreamWriter
    answers: asyncio.StreamReader


@asynccontextmanager
async def _process() -> AsyncIterator[tuple[Process, _Pipes]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend.checker", str(os.getpid())), stdin=PIPE, stdout=PIPE
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both were asked for")
        yield process, _Pipes(process.stdin, process.stdout)
    finally:
        _kill(process)
        await process.wait()


def _kill(process: Process) -> None:
    """It holds nothing that would be lost."""
    if process.returncode is None:
        process.kill()


async def _is_ready(answers: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answers.readexactly(len(READY)) == READY
    except (asyncio.IncompleteReadError, TimeoutError):
        return False


@dataclass(slots=True)
class _Life:
    """Of one process."""

    process: Process
    pipes: _Pipes
    questions: asyncio.Queue[list[_Question]]
    again: deque[list[_Question]]  # what others died of, perhaps
    asked: deque[list[_Question]] = field(default_factory=deque)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))
    limit: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Return when it has ended; what it was asked is to be asked again."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(), name="ask")
                group.create_task(self._hear(), name="hear")
        except* (EOFError, OSError):
            log.debug("the pipe to a check process is closed")
        finally:
            self._stop_waiting()
        if self.asked:
            self._blame(self.asked.popleft())
        self.again.extend(self.asked)

    async def _ask(self) -> None:
        pipe = self.pipes.questions
        while True:
            await self.room.acquire()
            made = self.again.popleft() if self.again else await self.questions.get()
            self.asked.append(made)
            if self.limit is None:
                self._wait()
            pipe.write(question([each.asked for each in made]))
            await pipe.drain()

    async def _hear(self) -> None:
        pipe = self.pipes.answers
        while True:
            (length,) = LENGTH.unpack(await pipe.readexactly(LENGTH.size))
            found = found_by(await pipe.readexactly(length))
            self._stop_waiting()
            for each, answer in zip(self.asked.popleft(), found, strict=True):
                _settle(each, answer)
            if self.asked:
                self._wait()
            self.room.release()

    def _wait(self) -> None:
        """For an answer; a process that gives none is as good as dead."""
        loop = asyncio.get_running_loop()
        self.limit = loop.call_later(PATIENCE_S, _kill, self.process)

    def _stop_waiting(self) -> None:
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None

    def _blame(self, made: list[_Question]) -> None:
        """Of which one of several it died is not known: each is asked alone from now on."""
        if len(made) > 1:
            self.again.extend([each] for each in made)
            return
        (alone,) = made
        alone.deaths += 1
        if alone.deaths < DEADLY:
            self.again.append(made)
        else:
            _settle(alone, DIED)


def _settle(asked: _Question, answer: Found) -> None:
    if not asked.answer.done():  # whoever asked may have gone away
        asked.answer.set_result(answer)
