"""The outbox on its own thread: `await store(frames.keep, ...)` returns when it is on disk.

One single-thread executor owns the connection. A call that was made is never abandoned, begun or
still queued: a cancelled caller leaves, the transaction is done, and the next call waits its turn.
"""

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Concatenate, ParamSpec, TypeVar

from gateway.outbox.database import DamagedError, Database, Factory, connect
from gateway.outbox.vault import KeyRefused, Vault, load_key

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FILE = "outbox.db"
LOCK = "outbox.lock"


class Unusable(Exception):
    """The outbox cannot be opened; the text names the thing and the cure."""


class Store:
    """One open outbox for one event loop. Open it before the loop starts, close it after."""

    def __init__(self, database: Database, lock: IO[str]) -> None:
        self._db, self._lock = database, lock
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="outbox")
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

    async def __call__(
        self,
        step: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        loop = asyncio.get_running_loop()
        before, done = self._db.commits, asyncio.Event()

        def ended() -> None:
            if self._db.commits != before:
                self._tell()
            done.set()

        # Not asyncio's own bridge: with its caller it would cancel a step that has not begun yet.
        work = self._executor.submit(step, self._db, *args, **kwargs)
        work.add_done_callback(lambda _: _call_in(loop, ended))
        await done.wait()
        return work.result()

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
        self._executor.submit(lambda: step(self._db, *args, **kwargs))

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


def _call_in(loop: asyncio.AbstractEventLoop, told: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(told)
    except RuntimeError:  # the loop has ended: nobody waits any more
        log.debug("a step ended after its loop")


def open_store(state_dir: Path, key_file: Path, factory: Factory = connect) -> Store:
    """Open (or make) the outbox. Raises Unusable in one line. Call outside the event loop."""
    path = state_dir / FILE
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (state_dir / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go with the process, however it ends
    except BlockingIOError:
        lock.close()
        raise Unusable(
            f"{state_dir}: another gateway works with this outbox; end it first,"
            " or set gateway.state_dir"
        ) from None
    except OSError as error:
        raise Unusable(
            f"{state_dir}: the outbox cannot be written there ({error.strerror});"
            " make the folder, give it to the gateway's user, or set gateway.state_dir"
        ) from error
    try:
        vault = Vault(load_key(key_file, path))
        return Store(Database(factory(path), vault), lock)
    except KeyRefused as error:
        lock.close()
        raise Unusable(_key_words(error, key_file)) from error
    except (DamagedError, sqlite3.DatabaseError) as error:
        lock.close()
        raise Unusable(f"{path}: damaged ({error}); restore it or move it away") from error


def _key_words(error: KeyRefused, key_file: Path) -> str:
    text = str(error)
    if text.startswith(str(key_file)):
        return text
    return f"{key_file}: not the key to this outbox; restore the right one from its backup"
