"""From the outbox to the receiver's word, and what is left afterwards."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zlib import decompress

from gateway.model import Message
from gateway.outbox import announcements
from gateway.outbox.database import Database, Row
from gateway.outbox.moments import maybe, to_us

UNTAKEN_AT_MOST = 200  # notes of one lost connection: bounds the transaction


@dataclass(frozen=True, slots=True)
class Resend:
    """When a reading without a receipt is sent again: doubling from `first` up to `cap`."""

    first: timedelta
    cap: timedelta

    def after(self, publishes: int) -> timedelta:
        """How long to wait after the n-th publish."""
        return min(self.cap, self.first * (1 << min(publishes - 1, 20)))


class Ack(NamedTuple):
    """A good PUBACK. `sent`: when the message went out, None if nobody looked."""

    row: int
    version: int
    code: int
    sent: datetime | None = None


def due(
    db: Database,
    now: datetime,
    limit: int,
    exclude: Collection[int] = (),
    cap: timedelta = timedelta(days=7),
) -> list[Message]:
    """Messages to publish now, oldest first; *exclude*: already on the wire.

    None waits longer than *cap*: what is due later than that was dated by a clock that was ahead.
    """
    found = _due(db, "<=", now, limit, exclude)
    if len(found) < limit:
        found += _due(db, ">", now + cap, limit - len(found), exclude)
    if len(found) < limit:
        found += announcements.due(db, now, now + cap, limit - len(found), exclude)
    return found


def _due(
    db: Database, side: str, moment: datetime, limit: int, exclude: Collection[int]
) -> list[Message]:
    """One span at a time: with both in one statement SQLite sorts all that waits, each time."""
    rows = db.execute(
        "SELECT r.id, r.public_id, r.version, r.seq, r.effective_at, r.late, r.sha256,"
        " r.publishes, b.body FROM readings r CROSS JOIN bodies b ON b.reading_id = r.id"
        f" WHERE r.state IN ('pending', 'published') AND r.due_at {side} ?"
        " AND r.id NOT IN (SELECT value FROM json_each(?)) ORDER BY r.due_at, r.seq LIMIT ?",
        to_us(moment),
        json.dumps(list(exclude)),
        limit,
    ).fetchall()
    return [_message(db, row) for row in rows]


def _message(db: Database, columns: Row) -> Message:
    row, public_id, version, seq, effective, late, digest, publishes, sealed = columns
    return Message(
        row,
        UUID(public_id),
        version,
        db.epoch,
        seq,
        maybe(effective),
        bool(late),
        digest,
        decompress(db.open("bodies", row, "body", sealed)),
        publishes + 1,
    )


def next_due(db: Database, exclude: Collection[int] = ()) -> datetime | None:
    """When the first of the rows that are not on the wire is due; None if none ever will be."""
    reading = maybe(
        db.one(
            "SELECT min(due_at) FROM readings WHERE state IN ('pending', 'published')"
            " AND id NOT IN (SELECT value FROM json_each(?))",
            json.dumps(list(exclude)),
        )
    )
    device = announcements.next_due(db, exclude)
    return min((each for each in (reading, device) if each is not None), default=None)


def last_seq(db: Database) -> int:
    """The number of the newest message; 0: there is none yet."""
    return int(db.meta("next_seq")) - 1


def published(
    db: Database,
    acks: Sequence[Ack],
    resend: Resend,
    receipts: bool,
    now: datetime,
) -> None:
    """The broker has these. 0x10, nobody listened, leaves the row waiting.

    Without *receipts* a 0x00 is the end of our duty.
    """
    with db.transaction(relieving=True):
        for row, version, code, sent in acks:
            publishes = _publishes(db, row, version)
            if publishes is None:  # a receipt overtook the PUBACK, or the reading was amended
                continue
            done = code == 0 and not receipts
            state = "received" if done else "published" if code == 0 else "pending"
            wait = resend.after(publishes + 1)
            if code != 0:  # nobody listened: at once on the slow schedule
                wait = resend.after(publishes + 4)
            if row < 0:
                announcements.published(db, row, state, code, now + wait, now)
                continue
            db.execute(
                "UPDATE readings SET state = ?, puback = ?, publishes = ?, published_at = ?,"
                " due_at = ?, received_at = ? WHERE id = ?",
                state,
                code,
                publishes + 1,
                to_us(now),
                to_us(now + wait),
                to_us(now) if done else None,
                row,
            )
            step = "received" if done else "published" if code == 0 else "unheard"
            if sent is not None:
                db.note(to_us(sent), "sent", None, row)
            db.note(to_us(now), step, None, row)


def _publishes(db: Database, row: int, version: int) -> int | None:
    """How often it has been published; None if that version waits no more."""
    if row < 0:
        return announcements.publishes(db, row, version)
    found = db.one(
        "SELECT publishes FROM readings WHERE id = ? AND version = ?"
        " AND state IN ('pending', 'published')",
        row,
        version,
    )
    return None if found is None else int(found)


def untaken(db: Database, rows: Collection[int], why: str, now: datetime) -> None:
    """These were sent, and no good PUBACK came: they stay due.

    For their journeys alone, in which of each run of such the first and the last are kept.
    """
    with db.transaction(durable=False):
        for row in list(rows)[:UNTAKEN_AT_MOST]:
            last = db.execute(
                "SELECT id, step FROM journey WHERE reading_id = ? ORDER BY id DESC LIMIT 2", row
            ).fetchall()
            if [step for _, step in last] == ["untaken", "untaken"]:
                db.execute(
                    "UPDATE journey SET at = ?, detail = ? WHERE id = ?",
                    to_us(now),
                    why,
                    last[0][0],
                )
            elif db.one("SELECT 1 FROM readings WHERE id = ?", row):
                db.note(to_us(now), "untaken", None, row, why)


def refused(db: Database, row: int, reason: str, now: datetime) -> None:
    """The broker will never take this row: parked."""
    with db.transaction():
        if row < 0:
            announcements.park(db, row, reason)
            return
        db.execute("UPDATE readings SET state = 'parked', reason = ? WHERE id = ?", reason, row)
        db.note(to_us(now), "parked", None, row, reason)


def resend_now(db: Database, now: datetime) -> None:
    """After an outage: what the broker has never taken is due at once."""
    with db.transaction():
        db.execute(
            "UPDATE readings SET due_at = ? WHERE state = 'pending'"
            " AND state IN ('pending', 'published') AND seq IS NOT NULL"  # the words of the index
            " AND due_at > ? AND puback IS NULL",
            to_us(now),
            to_us(now),
        )
        announcements.resend_now(db, now)


def purge(db: Database, keep: timedelta, now: datetime, limit: int = 200) -> int:
    """Drop what a received reading consisted of, *keep* after its receipt.

    Its key, id, digest and receipt stay for the device's life: a meter that sends its whole
    memory again makes no new row.
    """
    rows = db.execute(
        "SELECT r.id FROM readings r JOIN bodies b ON b.reading_id = r.id"
        " WHERE r.state = 'received' AND r.reading IS NOT NULL AND r.received_at < ? LIMIT ?",
        to_us(now - keep),
        limit,
    ).fetchall()
    if not rows:
        return 0
    with db.transaction(relieving=True):
        for (row,) in rows:
            db.execute("DELETE FROM bodies WHERE reading_id = ?", row)
            db.execute(
                "UPDATE readings SET reading = NULL, natural_key = NULL, former = NULL"
                " WHERE id = ?",
                row,
            )
            db.execute("UPDATE frames SET octets = NULL WHERE reading_id = ?", row)
            db.execute("DELETE FROM journey WHERE reading_id = ?", row)
    return len(rows)
