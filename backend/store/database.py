"""What the store asks of a database, whichever it is."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class StoreError(Exception):
    """The database cannot be used now; the text says why. What was begun has not happened."""


class StoreUnusable(Exception):
    """The database will not be usable without a human; the text says what to do."""


class Database(Protocol):
    """One thread at a time. Every call may raise StoreError, and connects again if need be.

    Values are int, str, bytes or None; moments are text, see `backend.store.moments`.
    """

    def writing(self) -> AbstractContextManager[None]:
        """One durable transaction. There is no other writer beside it, in any process: what is
        counted inside is committed in the order in which it was counted.
        """

    def execute(self, sql: str, *values: object) -> list[Row]:
        """*sql* with `?` for each of *values*; what it returns, whole."""

    def leads(self) -> bool:
        """Whether this is the one process that does what must be done by one alone."""

    def close(self) -> None: ...


def marks(values: Collection[object]) -> str:
    """A `?` for each of *values*, after IN."""
    return f"({', '.join('?' * len(values))})"


def rows_of(rows: Collection[Collection[object]]) -> str:
    """The same for each of *rows*, after VALUES: one statement in the place of many."""
    return ", ".join(map(marks, rows))


def open_database(address: str | Path) -> Database:
    """A file, or `postgresql://...`. Raises StoreError and StoreUnusable."""
    # Each brings its own libraries along; PostgreSQL's may not be there.
    if str(address).startswith(("postgresql:", "postgres:")):
        from backend.store.postgres import Postgres  # noqa: PLC0415

        return Postgres(str(address))
    from backend.store.sqlite import Sqlite  # noqa: PLC0415

    return Sqlite(Path(address))
