"""The outbox on its own thread: `await store(frames.keep, ...)` returns when it is on disk.

One single-thread executor owns the connection. A call that has begun is never abandoned: a
cancelled caller leaves, the transaction goes on, and the next call waits its turn.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gateway.outbox.database import DamagedError, Database, Factory, connect
from gateway.outbox.vault import KeyRefused, Vault, load_key

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FILE = "outbox.db"


class Unusable(Exception):
    """The outbox cannot be opened; the text names the thing and the cure."""


class Store:
    """One open outbox for one event loop. Open it before the loop starts, close it after."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._news = asyncio.Event()

    @property
    def epoch(self) -> str:
        return self._db.epoch

    @property
    def revision(self) -> int:
        """Grows with every commit: a hint that rows may have changed."""
        return self._db.commits

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
        before = self._db.commits
        try:
            return await loop.run_in_executor(
                self._executor, lambda: step(self._db, *args, **kwargs)
            )
        finally:
            if self._db.commits != before:
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


def open_store(state_dir: Path, key_file: Path, factory: Factory = connect) -> Store:
    """Open (or make) the outbox. Raises Unusable in one line. Call outside the event loop."""
    path = state_dir / FILE
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = state_dir / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unusable(
            f"{state_dir}: the outbox cannot be written there ({error.strerror});"
            " make the folder, give it to the gateway's user, or set gateway.state_dir"
        ) from error
    try:
        vault = Vault(load_key(key_file, path))
        return Store(Database(factory(path), vault))
    except KeyRefused as error:
        raise Unusable(_key_words(error, key_file)) from error
    except (DamagedError, sqlite3.DatabaseError) as error:
        raise Unusable(f"{path}: damaged ({error}); restore it or move it away") from error


def _key_words(error: KeyRefused, key_file: Path) -> str:
    text = str(error)
    if text.startswith(str(key_file)):
        return text
    return f"{key_file}: not the key to this outbox; restore the right one from its backup"
