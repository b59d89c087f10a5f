"""What is said of Devices: each meter's and this gateway's own, once and whenever it changes.

Messages like readings, with a number of the same count: published until a receipt. Only the newest
of each is kept. In a `Message` the row of an announcement is negative.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID
from zlib import compress, decompress

from gateway.model import Message
from gateway.outbox.database import Database, Row
from gateway.outbox.moments import from_us, maybe, to_us

WAITING = "state IN ('pending', 'published')"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A Device as it is now. *device*: the meter's row; None for this gateway."""

    device: int | None
    name: UUID
    version: int
    contents: bytes  # what is compared: the same octets mean that nothing has changed
    body: bytes


def last_version(db: Database, name: UUID, contents: bytes) -> int | None:
    """Of what was said last: 0, nothing yet; None, there is nothing new to say."""
    said = db.execute(
        "SELECT version, contents FROM announcements WHERE public_id = ?", str(name)
    ).fetchone()
    if said is None:
        return 0
    return None if said[1] == db.digest(contents) else int(said[0])


def announce(db: Database, news: Announcement, now: datetime) -> None:
    """It is due at once, in place of what was said before. Of a forgotten meter nothing is said."""
    with db.transaction():
        if news.device is not None and not db.one(
            "SELECT 1 FROM devices WHERE id = ?", news.device
        ):
            return
        db.execute("DELETE FROM announcements WHERE public_id = ?", str(news.name))
        row, seq = db.next_id("announcements"), int(db.meta("next_seq"))
        db.execute(
            "INSERT INTO announcements (id, device_id, public_id, version, contents, body, sha256,"
            " seq, changed_at, state, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
            row,
            news.device,
            str(news.name),
            news.version,
            db.digest(news.contents),
            db.seal("announcements", row, "body", compress(news.body)),
            sha256(news.body).hexdigest(),
            seq,
            to_us(now),
            to_us(now),
        )
        db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", seq + 1)


def due(
    db: Database, now: datetime, latest: datetime, limit: int, exclude: Collection[int]
) -> list[Message]:
    """To publish now; what is due after *latest* was dated by a clock that was ahead."""
    rows = db.execute(
        "SELECT id, public_id, version, seq, changed_at, sha256, publishes, body"
        f" FROM announcements WHERE {WAITING} AND (due_at <= ? OR due_at > ?)"
        " AND -id NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?",
        to_us(now),
        to_us(latest),
        json.dumps(list(exclude)),
        limit,
    ).fetchall()
    return [_message(db, row) for row in rows]


def _message(db: Database, columns: Row) -> Message:
    row, name, version, seq, changed, digest, publishes, sealed = columns
    return Message(
        row=-row,
        id=UUID(name),
        version=version,
        epoch=db.epoch,
        seq=seq,
        taken_at=from_us(changed),
        late=False,
        sha256=digest,
        body=decompress(db.open("announcements", row, "body", sealed)),
        attempt=publishes + 1,
        about="device",
    )


def next_due(db: Database, exclude: Collection[int]) -> datetime | None:
    return maybe(
        db.one(
            f"SELECT min(due_at) FROM announcements WHERE {WAITING}"
            " AND -id NOT IN (SELECT value FROM json_each(?))",
            json.dumps(list(exclude)),
        )
    )


def publishes(db: Database, row: int, version: int) -> int | None:
    """How often it has been published; None if that version waits no more."""
    found = db.one(
        f"SELECT publishes FROM announcements WHERE id = ? AND version = ? AND {WAITING}",
        -row,
        version,
    )
    return None if found is None else int(found)


def published(
    db: Database, row: int, state: str, code: int, again: datetime, now: datetime
) -> None:
    """The broker has it; call inside a transaction."""
    db.execute(
        "UPDATE announcements SET state = ?, puback = ?, publishes = publishes + 1, due_at = ?,"
        " received_at = ? WHERE id = ?",
        state,
        code,
        None if state == "received" else to_us(again),
        to_us(now) if state == "received" else None,
        -row,
    )


def park(db: Database, row: int, reason: str) -> None:
    """Nobody will take it; what changes next is said again. Call inside a transaction."""
    db.execute(
        "UPDATE announcements SET state = 'parked', reason = ?, due_at = NULL WHERE id = ?",
        reason,
        -row,
    )
    db.count("devices refused")


def receipt(
    db: Database,
    name: str,
    digest: str,
    by: str,
    status: str,
    required: Sequence[str],
    now: datetime,
) -> str:
    """A receiver's word; what it did, as in `receipts.take`. Call inside a transaction."""
    found = db.execute(
        "SELECT id, sha256, state, holders FROM announcements WHERE public_id = ?", name
    ).fetchone()
    if found is None:
        return "unknown"
    row, known, state, holders = found
    if known != digest:
        return "mismatch"
    if required and by not in required:
        return "unknown"
    if status in ("delivered", "undeliverable"):
        return "onward"
    if state not in ("pending", "published", "parked"):
        return "stale"
    if status == "rejected":
        park(db, -row, f"rejected by {by}")
        return "rejected"
    holding = sorted({*json.loads(holders), by})[:100]
    done = set(holding).issuperset(required)
    db.execute("UPDATE announcements SET holders = ? WHERE id = ?", json.dumps(holding), row)
    if not done:
        return "waiting"
    db.execute(
        "UPDATE announcements SET state = 'received', reason = NULL, received_at = ?,"
        " due_at = NULL WHERE id = ?",
        to_us(now),
        row,
    )
    return "received"


def resend_now(db: Database, now: datetime) -> None:
    """What the broker has never taken is due at once; call inside a transaction."""
    db.execute(
        "UPDATE announcements SET due_at = ? WHERE state = 'pending' AND due_at > ?"
        " AND puback IS NULL",
        to_us(now),
        to_us(now),
    )


def again(db: Database, row: int, now: datetime) -> bool:
    """Send a confirmed one once more; call inside a transaction."""
    confirmed = db.one("SELECT 1 FROM announcements WHERE id = ? AND state = 'received'", -row)
    if not confirmed:
        return False
    db.execute(
        "UPDATE announcements SET state = 'pending', due_at = ?, publishes = 0, puback = NULL,"
        " holders = '[]', received_at = NULL WHERE id = ?",
        to_us(now),
        -row,
    )
    return True
