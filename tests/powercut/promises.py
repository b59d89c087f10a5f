"""What the outbox has promised by when, and whether a cut has broken it.

After a cut the rows must be those after some transaction, whole, and no earlier one than the last
that a caller was told of. So nothing that was promised is lost, no number is given to other octets,
and what was received stays so; and nothing is there that never was.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from gateway.outbox import frames, rendering
from gateway.outbox.connection import Cursor
from gateway.outbox.database import Database
from gateway.outbox.store import Store
from gateway.outbox.vault import Vault
from tests.powercut.disk import Disk, Files
from tests.powercut.vfs import Vfs, connect

VAULT = Vault(bytes(range(32)))
UNPROMISED = (frames.take, rendering.to_render)  # they count attempts: a cut may forget one

P = ParamSpec("P")
T = TypeVar("T")


class Broken(AssertionError):
    """A promise was not kept."""


class Recorder:
    """A connection that writes down what its rows were after each commit."""

    def __init__(self, disk: Disk, synchronous: str = "FULL") -> None:
        self._disk, self._synchronous = disk, synchronous
        self._connection = connect(Vfs(disk))
        self.states = [rows(self._connection)]

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Cursor:
        if sql == "PRAGMA synchronous = FULL":
            sql = f"PRAGMA synchronous = {self._synchronous}"
        cursor = self._connection.execute(sql, tuple(parameters))
        if sql == "COMMIT":
            self.states.append(rows(self._connection))
        return cursor

    def close(self) -> None:
        self._connection.close()


class Promises:
    """One start of the program, on what a disk held, with everything it has said since."""

    def __init__(self, files: Files, synchronous: str = "FULL", vault: Vault = VAULT) -> None:
        self.before, self.vault = files, vault
        self.disk = Disk.holding(files)
        self._recorder = Recorder(self.disk, synchronous)
        self._said: list[tuple[int, int]] = [(0, 0)]  # operations done, states promised
        self.store = Promising(Database(self._recorder, vault), self)
        self.promise()

    def promise(self) -> None:
        """Whatever is committed now has been told to somebody."""
        self._said.append((len(self.disk.log), len(self._recorder.states) - 1))

    def check(
        self, files: Files, after: int, look: Callable[[Database], object] = lambda _: None
    ) -> None:
        """Whether *files* may be what a cut after that many operations leaves. Raises Broken.

        *look* at what the program finds when it is started then.
        """
        last = bisect_right(self._said, (after, len(self._recorder.states))) - 1
        allowed = self._recorder.states[self._said[last][1] :]
        connection = connect(Vfs(Disk.holding(files)))
        try:
            verdict = connection.execute("PRAGMA integrity_check").fetchall()
            if verdict != [("ok",)]:
                raise Broken(f"after {after} operations: {verdict}")
            if rows(connection) not in allowed:
                raise Broken(f"after {after} operations: not the rows that were promised")
            look(Database(connection, self.vault))
        except apsw.Error as error:
            raise Broken(f"after {after} operations: {error}") from error
        finally:
            connection.close()


class Promising(Store):
    """A call that has returned is a promise."""

    def __init__(self, database: Database, promises: Promises) -> None:
        super().__init__(database, io.StringIO(), Path("/nonexistent"))
        self._promises = promises

    async def __call__(
        self,
        step: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        before = self._db.commits
        try:
            return await super().__call__(step, *args, **kwargs)
        finally:
            if step not in UNPROMISED and self._db.commits != before:
                self._promises.promise()


def rows(connection: apsw.Connection) -> int:
    """Every row of every table, as one number."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    version = connection.execute("PRAGMA user_version").fetchall()
    content = [
        connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - the schema's names
        for (name,) in names
    ]
    return hash(repr((version, names, content)))
