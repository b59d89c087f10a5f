"""The embedded store: SQLite, for one receiver."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.store import schema
from backend.store.database import Row, StoreError, StoreUnusable
from backend.store.migration import migrate

BUSY_S = 10.0  # for whoever else writes: a command


class Sqlite:
    def __init__(self, path: Path) -> None:
        """Raises StoreError and StoreUnusable."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_S
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreUnusable(f"{path}: {error}") from error
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA secure_delete = ON")  # a body that is removed is overwritten
        with self.writing():
            migrate(self)
            for statement in schema.SQLITE:
                self.execute(statement)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends some by itself, at a full disk
                self._connection.execute("ROLLBACK")
            raise
        try:
            self.execute("COMMIT")
        except StoreError:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def execute(self, sql: str, *values: object) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # ours: the code is wrong
        except sqlite3.DatabaseError as error:  # busy, full, damaged
            raise StoreError(f"the store: {error}") from error

    def leads(self) -> bool:
        return True

    def close(self) -> None:
        self._connection.close()
