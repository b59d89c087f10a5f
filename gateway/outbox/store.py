"""The outbox on its own thread: `await store(frames.keep, ...)` returns when it is on disk.

One single-thread executor owns the connection. A call that was made is never abandoned, begun or
still queued: a cancelled caller leaves, the transaction is done, and the next call waits its turn.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Concatenate, ParamSpec, TypeVar

from gateway.outbox import opening, quota
from gateway.outbox.connection import DamagedError, Full
from gateway.outbox.database import Database
from gateway.outbox.opening import Unusable
from gateway.outbox.vault import KeyRefused

__all__ = ["Store", "Unusable", "open_store"]

log = logging.getLogger(__name__)

Job = Callable[[], object]
P = ParamSpec("P")
T = TypeVar("T")

ROOM_S = 5.0  # between two looks whether there is room again


class Store:
    """One open outbox for one event loop. Open it before the loop starts, close it after."""

    def __init__(self, database: Database, lock: IO[str], state_dir: Path) -> None:
        self._db, self._lock, self._state_dir = database, lock, state_dir
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._urgent: deque[Job] = deque()
        self._ordinary: deque[Job] = deque()
        self._news = asyncio.Event()
        self._stirs = 0

    @property
    def epoch(self) -> str:
        return self._db.epoch

    @property
    def revision(self) -> int:
        """Grows with every commit: a hint that rows may have changed."""
        return self._db.commits + self._stirs

    @property
    def committed_at(self) -> float:
        """time.monotonic() of the last commit."""
        return self._db.committed_at

    @property
    def idle_s(self) -> float | None:
        """Seconds since the last commit; None: there was none since the start."""
        at = self._db.committed_at
        return time.monotonic() - at if at else None

    async def __call__(
        self,
        step: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do one step. Where neither quota nor disk has room for it, it waits until there is."""
        return await self._patiently(lambda: step(self._db, *args, **kwargs), self._ordinary)

    async def urgently(
        self,
        step: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As a call, ahead of all that is queued: for what a meter erases once it is confirmed."""
        return await self._patiently(lambda: step(self._db, *args, **kwargs), self._urgent)

    async def _patiently(self, step: Callable[[], T], queue: deque[Job]) -> T:
        told = False
        while True:
            try:
                return await self._once(step, queue)
            except Full as error:
                if not told:
                    log.error("no room for what must be stored (%s): waiting for some", error)  # noqa: TRY400 - foreseen
                told = True
                await asyncio.sleep(ROOM_S)

    async def _once(self, step: Callable[[], T], queue: deque[Job]) -> T:
        loop = asyncio.get_running_loop()
        before, done = self._db.commits, asyncio.Event()

        def ended() -> None:
            if self._db.commits != before:
                self._tell()
            done.set()

        # Not asyncio's own bridge: with its caller it would cancel a step that has not begun yet.
        work: Future[T] = Future()
        work.add_done_callback(lambda _: _call_in(loop, ended))
        self._submit(lambda: _done(work, lambda: self._try(step)), queue)
        await done.wait()
        return work.result()

    def _submit(self, job: Job, queue: deque[Job]) -> None:
        queue.append(job)
        self._executor.submit(self._next)

    def _next(self) -> None:
        """On the outbox's thread, once for each job that was queued."""
        (self._urgent or self._ordinary).popleft()()

    def _try(self, step: Callable[[], T]) -> T:
        """On the outbox's thread: make room where there is none, and remember damage."""
        try:
            try:
                return step()
            except Full:
                if not self._make_room():
                    raise
                return step()
        except (KeyRefused, DamagedError):
            opening.suspect(self._state_dir)
            raise
        except sqlite3.DatabaseError as error:
            if opening.is_damage(error):
                opening.suspect(self._state_dir)
            raise

    def _make_room(self) -> bool:
        """What has been received goes first, then the reserve."""
        try:
            if quota.relieve(self._db):
                return True
        except Full:
            log.debug("no room even to purge")
        return self._db.reserve is not None and self._db.reserve.give_up()

    def stir(self) -> None:
        """Wake whoever waits for a change: something beside the rows has changed."""
        self._stirs += 1
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def post(
        self,
        step: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Queue a step without waiting for it: for a cancelled caller. `close` waits for it."""
        self._submit(lambda: self._try(lambda: step(self._db, *args, **kwargs)), self._ordinary)

    async def changed(self, since: int) -> int:
        """Wait until there is a commit after revision *since*; returns the revision now."""
        while self.revision <= since:
            await self._news.wait()
        return self.revision

    def close(self) -> None:
        """Finish what is queued and close the file."""
        self._executor.submit(self._db.close).result()
        self._executor.shutdown()
        self._lock.close()


def _done(work: Future[T], step: Callable[[], T]) -> None:
    try:
        work.set_result(step())
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is its caller's
        work.set_exception(error)


def _call_in(loop: asyncio.AbstractEventLoop, told: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(told)
    except RuntimeError:  # the loop has ended: nobody waits any more
        log.debug("a step ended after its loop")


def open_store(
    state_dir: Path,
    key_file: Path,
    quota: int | None = None,
    now: datetime | None = None,
) -> Store:
    """Open (or make, or salvage) the outbox; *quota* in octets. Call outside the event loop.

    Raises Unusable in one line.
    """
    held = opening.lock(state_dir)
    try:
        db = opening.open_database(state_dir, key_file, now or datetime.now(UTC), quota)
    except BaseException:
        held.close()
        raise
    return Store(db, held, state_dir)
