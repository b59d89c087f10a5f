"""What a receiver holds: SQLite, durable before anybody is told so.

A reading is known by (id, version). Its digest decides whether a second delivery is a repeat.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reading (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    late INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;
CREATE TABLE IF NOT EXISTS refusal (
    topic TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    reason TEXT NOT NULL,
    first_at TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (topic, sha256, reason)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came, found to be of the contract."""

    id: UUID
    version: int
    sha256: str
    body: bytes
    gateway: str
    epoch: str
    seq: int
    late: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that was not taken, and why. Its body stays with the gateway."""

    topic: str
    sha256: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message."""

    status: Literal["stored", "duplicate", "rejected"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A row, for whoever reads the store."""

    id: UUID
    version: int
    sha256: str
    body: bytes
    gateway: str
    epoch: str
    seq: int
    late: bool
    first_at: datetime
    deliveries: int


class Store:
    """Write access. One thread at a time; every call is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    def keep(self, messages: Iterable[Delivery | Refusal], now: datetime) -> list[Verdict]:
        """Return when all is on disk: a verdict for each."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            verdicts = [
                self._keep(message, now.isoformat())
                if isinstance(message, Delivery)
                else self._note(message, now.isoformat())
                for message in messages
            ]
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
        return verdicts

    def _keep(self, delivery: Delivery, now: str) -> Verdict:
        key = (str(delivery.id), delivery.version)
        known = self._database.execute(
            "SELECT sha256 FROM reading WHERE id = ? AND version = ?", key
        ).fetchone()
        if known is None:
            row = (delivery.sha256, delivery.body, delivery.gateway, delivery.epoch)
            self._database.execute(
                "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                (*key, *row, delivery.seq, delivery.late, now),
            )
            return Verdict("stored")
        if known[0] != delivery.sha256:
            return Verdict("rejected", "held already, with another digest")
        self._database.execute(
            "UPDATE reading SET deliveries = deliveries + 1 WHERE id = ? AND version = ?", key
        )
        return Verdict("duplicate")

    def _note(self, refusal: Refusal, now: str) -> Verdict:
        self._database.execute(
            "INSERT INTO refusal VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET"
            " deliveries = deliveries + 1",
            (refusal.topic, refusal.sha256, refusal.reason, now),
        )
        return Verdict("rejected", refusal.reason)


def readings(path: Path) -> Iterator[StoredReading]:
    """Everything held, in the order of arrival. Safe beside a running receiver."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT id, version, sha256, body, gateway, epoch, seq, late, first_at, deliveries"
            " FROM reading ORDER BY rowid"
        )
        for (
            identity,
            version,
            sha256,
            body,
            gateway,
            epoch,
            seq,
            late,
            first_at,
            deliveries,
        ) in rows:
            yield StoredReading(
                UUID(identity),
                version,
                sha256,
                body,
                gateway,
                epoch,
                seq,
                bool(late),
                datetime.fromisoformat(first_at),
                deliveries,
            )


def refusals(path: Path) -> list[tuple[Refusal, int]]:
    """What was not taken, and how often it came."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT topic, sha256, reason, deliveries FROM refusal")
        return [(Refusal(topic, sha256, reason), times) for topic, sha256, reason, times in rows]
