"""The SQLite file: opened safely, migrated, and changed only in whole transactions."""

import secrets
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.outbox.connection import Connection, Cursor, DamagedError, Full, NewerError, Row
from gateway.outbox.migrations import migrations, statements
from gateway.outbox.reserve import Reserve
from gateway.outbox.vault import KeyRefused, Vault, keyed_digest

__all__ = ["PAGE_OCTETS", "Cursor", "Database", "Row"]

# What SQLite answers when disk or quota is full: outright, or where it maps its shared memory.
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
# Measured: a transaction touches a dozen pages here and there, a few octets in each. Small pages
# write less than half of what 4096 would (docs/performance.md).
PAGE_OCTETS = 1024
WAL_PAGES = 1024  # 1 MiB of write-ahead log at most in ordinary times
CACHE_KIB = 512  # of pages in memory; the rows that move are few
# The last of the quota is for what makes room again: receipts noted, bodies purged.
RELIEVING_PERCENT = 2


class Database:
    """One open outbox. Every method of the rooms beside this file is one `transaction`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self.vault = vault
        self.commits = 0  # a hint that something may have changed
        self.committed_at = 0.0  # time.monotonic() of the last one
        self.reserve: Reserve | None = None
        self._quota = sys.maxsize // PAGE_OCTETS  # pages
        self._prepare()
        self.epoch: str = self.meta("epoch")
        self._secret = self._open_secret()

    def execute(self, sql: str, *parameters: object) -> Cursor:
        """Raises Full when the disk, or our own quota, has no room for it, DamagedError where even
        SQLite's words on the damage are damaged.
        """
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:  # absent: the module's own
                raise Full(str(error)) from error
            raise
        except UnicodeDecodeError as error:  # it quotes what stands in the place of the schema
            raise DamagedError("its schema does not read") from error

    def one(self, sql: str, *parameters: object) -> Any:
        """The first column of the first row, None if there is no row."""
        row = self.execute(sql, *parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def transaction(self, *, durable: bool = True, relieving: bool = False) -> Iterator[None]:
        """All or nothing. When the block is left, it is on disk (FULL) or, not *durable*, at least
        beyond this process's death: for counting attempts, which a power cut may forget.

        *relieving*: it serves to make room, and may use the quota to its last page. Raises Full.
        """
        if not durable:
            self.execute("PRAGMA synchronous = NORMAL")
        if relieving:
            self._limit(100)
        try:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself gives up some that fail
                    self.execute("ROLLBACK")
                raise
        finally:
            if not durable:
                self.execute("PRAGMA synchronous = FULL")
            if relieving:
                self._limit(100 - RELIEVING_PERCENT)
        self.commits += 1
        self.committed_at = time.monotonic()

    def bound(self, octets: int) -> None:
        """From now on the file takes no more than this; what is in it stays."""
        self._quota = octets // PAGE_OCTETS
        self._limit(100 - RELIEVING_PERCENT)

    def used_octets(self) -> int:
        """What rows take; pages that were freed are used again."""
        pages = int(self.one("PRAGMA page_count")) - int(self.one("PRAGMA freelist_count"))
        return pages * PAGE_OCTETS

    def used_percent(self) -> int:
        """How much of the quota that is."""
        return self.used_octets() * 100 // (self._quota * PAGE_OCTETS)

    def next_id(self, table: str) -> int:
        """The row id to insert next: it must be known before a column can be sealed.

        Never one that was given before: a meter that was forgotten leaves no name behind.
        """
        return 1 + int(self.one("SELECT seq FROM sqlite_sequence WHERE name = ?", table) or 0)

    def seal(self, table: str, row: int, column: str, plain: bytes) -> bytes:
        return self.vault.seal(table, row, column, plain)

    def open(self, table: str, row: int, column: str, sealed: bytes) -> bytes:
        return self.vault.open(table, row, column, sealed)

    def digest(self, *parts: bytes) -> bytes:
        return keyed_digest(self._secret, *parts)

    def meta(self, key: str) -> Any:
        return self.one("SELECT value FROM meta WHERE key = ?", key)

    def count(self, name: str) -> None:
        """Count a rare event; call inside a transaction."""
        self.execute(
            "INSERT INTO counters (name, n) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET n = n + 1",
            name,
        )

    def note(
        self, at: int, step: str, device: int | None, reading: int | None, detail: str = ""
    ) -> None:
        """One step of a journey; call inside a transaction. Never a value, never a person."""
        self.execute(
            "INSERT INTO journey (at, step, device_id, reading_id, detail) VALUES (?, ?, ?, ?, ?)",
            at,
            step,
            device,
            reading,
            detail,
        )

    def close(self) -> None:
        self._connection.close()

    def _limit(self, percent: int) -> None:
        self.one(f"PRAGMA max_page_count = {min(self._quota * percent // 100, 2**32 - 2)}")

    def _open_secret(self) -> bytes:
        sealed = self.meta("secret")
        try:
            return self.vault.open("meta", 0, "secret", sealed)
        except KeyRefused as error:
            if self.vault.knows(sealed):
                raise DamagedError("its secret is not what was written") from error
            raise

    def _prepare(self) -> None:
        self.execute(f"PRAGMA page_size = {PAGE_OCTETS}")  # heeded while the file is empty
        self.execute("PRAGMA journal_mode = WAL").fetchone()
        for pragma in (
            "synchronous = FULL",  # the promise: committed means on disk (research/libs 6)
            "foreign_keys = ON",
            f"cache_size = -{CACHE_KIB}",
            "secure_delete = ON",
            f"wal_autocheckpoint = {WAL_PAGES}",
            f"journal_size_limit = {WAL_PAGES * PAGE_OCTETS}",
        ):
            self.execute(f"PRAGMA {pragma}")
        self._check()
        version, known = int(self.one("PRAGMA user_version")), migrations()
        if version > known[-1][0] + 1:  # one ahead only adds: docs/outbox.md
            raise NewerError(f"schema {version}, and this program knows {known[-1][0]}")
        for number, script in known:
            if number > version:
                self._migrate(number, script)

    def _check(self) -> None:
        verdict = self.one("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise DamagedError(str(verdict))

    def _migrate(self, number: int, script: str) -> None:
        with self.transaction():
            for statement in statements(script):
                self.execute(statement)
            if number == 1:
                sealed = self.seal("meta", 0, "secret", secrets.token_bytes(32))
                for key, value in (
                    ("epoch", secrets.token_hex(8)),
                    ("next_seq", 1),
                    ("secret", sealed),
                ):
                    self.execute("INSERT INTO meta (key, value) VALUES (?, ?)", key, value)
            self.execute(f"PRAGMA user_version = {number}")
