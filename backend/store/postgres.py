"""The store of several receivers: one PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from backend.store import schema
from backend.store.database import Row, StoreError, StoreUnusable

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise StoreUnusable(
        "PostgreSQL needs psycopg: pip install 'hjemgate[receiver-postgres]'"
    ) from error

# Advisory locks, by numbers of our own: who writes, and who does what one alone must do.
WRITER, LEADER = 5_310_271, 5_310_272
CONNECT_S = 10
STATEMENT_S = 60  # with the wait for other writers in it

# Answers must be durable, however the server is set up.
SESSION = (
    "SET synchronous_commit TO on",
    f"SET statement_timeout TO '{STATEMENT_S}s'",
    "SET client_min_messages TO warning",
)


class Postgres:
    """Connects when it is needed, and again when the connection was lost."""

    def __init__(self, address: str) -> None:
        """Raises StoreUnusable. The server need not be there yet."""
        try:
            conninfo_to_dict(address)
        except psycopg.ProgrammingError:
            raise StoreUnusable(
                "the address of the database: not one that PostgreSQL knows; expected"
                " postgresql://USER@HOST/DATABASE, with % before what is not a letter or a digit"
            ) from None  # the cause would quote the address, and the password in it
        self._address = address
        self._open: psycopg.Connection[Row] | None = None
        self._leads = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        try:
            # One writer at a time: otherwise what was counted first could be committed last.
            self.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITER})")  # one round trip
            yield
        except BaseException:
            self._rollback()
            raise
        self.execute("COMMIT")

    def _rollback(self) -> None:
        """If even that fails, the end of the connection does it."""
        try:
            self.execute("ROLLBACK")
        except StoreError:
            self.close()

    def execute(self, sql: str, *values: object) -> list[Row]:
        try:
            connection = self._connected()
            with connection.cursor() as cursor:
                cursor.execute(sql.replace("?", "%s"), values or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg.IntegrityError:
            raise  # ours: the code is wrong
        except (psycopg.OperationalError, psycopg.InternalError) as error:
            raise StoreError(f"the store: {' '.join(str(error).split())}") from error

    def _connected(self) -> "psycopg.Connection[Row]":
        if self._open is not None and self._open.closed:
            self.close()
        if self._open is None:
            options: dict[str, Any] = {"connect_timeout": CONNECT_S}
            made = psycopg.connect(self._address, autocommit=True, **options)
            for statement in SESSION:
                made.execute(statement)
            self._open = made
            self._add_schema()
        return self._open

    def _add_schema(self) -> None:
        try:
            with self.writing():
                for statement in schema.POSTGRES:
                    self.execute(statement)
        except StoreError:
            self.close()
            raise

    def leads(self) -> bool:
        """The lock is the connection's: it goes to another receiver when this one is gone."""
        if self._open is None or self._open.closed:
            self._leads = False
        if not self._leads:
            ((won,),) = self.execute("SELECT pg_try_advisory_lock(?)", LEADER)
            self._leads = bool(won)
        return self._leads

    def close(self) -> None:
        opened, self._open, self._leads = self._open, None, False
        if opened is not None:
            with suppress(psycopg.Error):  # it is gone either way
                opened.close()
