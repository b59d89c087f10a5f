"""Sees from outside when a row is committed: a second connection to the same file."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

POLL_S = 0.0002  # the resolution of every latency that is measured so
PATIENCE_S = 120.0

COMMITTED = "SELECT count(*) FROM frames"
CONFIRMED = "SELECT count(*) FROM readings WHERE state IN ('published', 'received')"
STORED = "SELECT count(*) FROM bodies"
RECEIVED = "SELECT count(*) FROM readings WHERE state = 'received'"


def count(path: Path, query: str) -> int:
    """The answer of a counting *query* now, 0 while there is no table yet."""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


async def until(path: Path, query: str, wanted: int, patience_s: float = PATIENCE_S) -> None:
    """Return when *query* counts *wanted* rows."""
    async with asyncio.timeout(patience_s):
        while count(path, query) < wanted:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.05)


def moments(path: Path, query: str, base: int, wanted: int) -> Sequence[int]:
    """Monotonic nanoseconds at which the count was first seen past base, base + 1, ...

    Blocks: give it a thread.
    """
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    seen: list[int] = []
    deadline = time.monotonic() + PATIENCE_S
    try:
        while len(seen) < wanted:
            now = int(connection.execute(query).fetchone()[0]) - base
            seen += [time.monotonic_ns()] * (now - len(seen))
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(seen)} of {wanted} rows after {PATIENCE_S:.0f} s")
            time.sleep(POLL_S)
    finally:
        connection.close()
    return seen
