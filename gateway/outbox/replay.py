"""Readings that were confirmed, sent once more: a receiver has lost them, or sees a gap.

Their octets, ids and numbers are what they were. Until it is confirmed anew a reading is pending,
as if it never had been: no old receipt counts for it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.outbox import announcements
from gateway.outbox.announcements import WAITING
from gateway.outbox.database import Database
from gateway.outbox.moments import to_us

Span = tuple[int, int]

MOST = 100_000  # numbers in one look: it holds up whoever wants to write


@dataclass(slots=True)
class Found:
    """What stands behind the numbers that were asked for; spans are first and last number."""

    rows: list[int] = field(default_factory=list)  # as in a Message: confirmed, their octets here
    waiting: int = 0  # not confirmed yet: they come anyway
    gone: list[Span] = field(default_factory=list)  # confirmed; their octets are purged
    void: list[Span] = field(default_factory=list)  # nothing that may be sent


class TooMany(Exception):
    """More than can be looked at in one go; the text says how many may be asked for."""


def by_number(db: Database, first: int, last: int | None) -> Found:
    """*last*: None for everything from *first* on. Numbers not given yet are left out.

    Raises TooMany.
    """
    given = int(db.meta("next_seq")) - 1
    last = given if last is None else min(last, given)
    if last - first >= MOST:
        raise TooMany(f"from {first} to {last}: ask for at most {MOST} numbers at a time")
    found, expected = Found(), first
    rows = db.execute(
        "SELECT r.seq, r.id, r.state, b.reading_id IS NOT NULL FROM readings r"
        " LEFT JOIN bodies b ON b.reading_id = r.id WHERE r.seq BETWEEN ?1 AND ?2"
        " UNION ALL SELECT seq, -id, state, 1 FROM announcements WHERE seq BETWEEN ?1 AND ?2"
        " ORDER BY 1",
        first,
        last,
    )
    for seq, row, state, there in rows:
        if seq > expected:
            _add(found.void, expected, seq - 1)
        expected = seq + 1
        if state in ("pending", "published"):
            found.waiting += 1
        elif state != "received":
            _add(found.void, seq, seq)
        elif there:
            found.rows.append(row)
        else:
            _add(found.gone, seq, seq)
    if expected <= last:
        _add(found.void, expected, last)
    return found


def by_time(db: Database, since: datetime) -> Found:
    """Whatever was confirmed at *since* or later, and all that is not confirmed yet.

    Raises TooMany.
    """
    rows = db.execute(
        "SELECT r.seq, r.id, b.reading_id IS NOT NULL FROM readings r"
        " LEFT JOIN bodies b ON b.reading_id = r.id"
        " WHERE r.state = 'received' AND r.received_at >= ?1"
        " UNION ALL SELECT seq, -id, 1 FROM announcements"
        " WHERE state = 'received' AND received_at >= ?1 ORDER BY 1 LIMIT ?2",
        to_us(since),
        MOST + 1,
    ).fetchall()
    if len(rows) > MOST:
        raise TooMany(f"more than {MOST} readings were confirmed since then: name a later moment")
    found = Found(rows=[row for _, row, there in rows if there])
    for seq, _, there in rows:
        if not there and seq is not None:
            _add(found.gone, seq, seq)
    found.waiting = int(
        db.one(
            "SELECT (SELECT count(*) FROM readings WHERE state IN ('pending', 'published')"
            f" AND seq IS NOT NULL) + (SELECT count(*) FROM announcements WHERE {WAITING})"
        )
    )
    return found


def again(db: Database, rows: Sequence[int], now: datetime) -> int:
    """Send these once more. Returns how many: one that is confirmed no more is left as it is."""
    wanted = json.dumps(list(rows))
    with db.transaction():
        devices = sum(announcements.again(db, row, now) for row in rows if row < 0)
        ready = db.execute(
            "SELECT r.id, r.seq FROM readings r JOIN bodies b ON b.reading_id = r.id"
            " WHERE r.state = 'received' AND r.id IN (SELECT value FROM json_each(?))"
            " ORDER BY r.seq, r.id",
            wanted,
        ).fetchall()
        following = int(db.meta("next_seq"))
        for row, seq in ready:
            if seq is None:  # it was confirmed in an epoch that is over
                seq, following = following, following + 1
            db.execute(
                "UPDATE readings SET state = 'pending', seq = ?, due_at = ?, publishes = 0,"
                " puback = NULL, received_at = NULL WHERE id = ?",
                seq,
                to_us(now),
                row,
            )
            db.execute("DELETE FROM receipts WHERE reading_id = ?", row)
            db.note(to_us(now), "replayed", None, row)
        db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", following)
    return len(ready) + devices


def _add(spans: list[Span], first: int, last: int) -> None:
    """Numbers come in order: what follows on the last span makes that longer."""
    if spans and spans[-1][1] + 1 == first:
        spans[-1] = (spans[-1][0], last)
    else:
        spans.append((first, last))


def numbers(spans: Iterable[Span]) -> int:
    """How many numbers there are in *spans*."""
    return sum(last - first + 1 for first, last in spans)
