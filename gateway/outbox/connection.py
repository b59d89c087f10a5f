"""What the outbox asks of a database driver, and what can be wrong with a file."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class Cursor(Protocol):
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What the outbox asks of a driver: sqlite3's connection, or apsw's in the power-cut model."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Cursor: ...
    def close(self) -> None: ...


class DamagedError(Exception):
    """The file is not a sound outbox; the text says what is wrong."""


class NewerError(Exception):
    """The file was written by a version too far ahead of this one."""


class Full(Exception):
    """Neither quota nor disk has room for this; nothing was changed."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread that begins no transaction by itself."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


Factory = Callable[[Path], Connection]
