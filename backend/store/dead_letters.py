"""What could not be taken, with the reason, for a human."""

import json
from collections.abc import Sequence
from datetime import datetime

from backend.store.database import Database
from backend.store.moments import moment, text
from backend.store.shapes import DeadLetter, Refusal

# For each topic: whoever sends rubbish is not to fill the disk.
WITH_BODY = 100
MOST = 1000
LARGEST = 262_144  # octets of a body
PROPERTIES = 4096  # characters of user properties, as JSON

TOO_MANY = (
    f"more than {MOST} of this topic: from here on they are counted, and not kept;"
    " when the others are discarded, discard this one as well"
)


def bury(db: Database, refusal: Refusal, now: datetime) -> None:
    """Once for each message and reason; a repeat is counted. Inside a transaction."""
    if _count(db, refusal.topic, refusal.sha256, refusal.reason, now):
        return
    if _count(db, refusal.topic, "", TOO_MANY, now):  # nobody has to look how many there are
        return
    ((others, bodies),) = db.execute(
        "SELECT count(*), count(body) FROM dead_letter WHERE topic = ?", refusal.topic
    )
    if others >= MOST:
        _insert(db, (refusal.topic, "", TOO_MANY), [], None, now)
        return
    keep = bodies < WITH_BODY and len(refusal.body) <= LARGEST
    key = (refusal.topic, refusal.sha256, refusal.reason)
    _insert(db, key, refusal.properties, refusal.body if keep else None, now)


def _count(db: Database, topic: str, sha256: str, reason: str, now: datetime) -> bool:
    """Whether there is that one; then it came once more."""
    return bool(
        db.execute(
            "UPDATE dead_letter SET deliveries = deliveries + 1, last_at = ?"
            " WHERE topic = ? AND sha256 = ? AND reason = ? RETURNING number",
            *(text(now), topic, sha256, reason),
        )
    )


def _insert(
    db: Database,
    key: tuple[str, str, str],
    properties: Sequence[tuple[str, str]],
    body: bytes | None,
    now: datetime,
) -> None:
    db.execute(
        "INSERT INTO dead_letter (topic, sha256, reason, properties, body, first_at, last_at,"
        " deliveries) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
        *(*key, json.dumps(_some(properties)), body, text(now), text(now)),
    )


def _some(properties: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first of them, as far as there is room."""
    found, room = [], PROPERTIES
    for name, value in properties:
        room -= len(json.dumps((name, value)))
        if room < 0:
            break
        found.append((name, value))
    return found


def listed(db: Database) -> list[DeadLetter]:
    rows = db.execute(
        "SELECT number, topic, sha256, reason, first_at, last_at, deliveries, length(body)"
        " FROM dead_letter ORDER BY number"
    )
    return [
        DeadLetter(number, topic, sha256, reason, moment(first), moment(last), times, octets)
        for number, topic, sha256, reason, first, last, times, octets in rows
    ]


def body(db: Database, number: int) -> bytes | None:
    """The octets of one, if there is such a one and they were kept."""
    rows = db.execute("SELECT body FROM dead_letter WHERE number = ?", number)
    return bytes(rows[0][0]) if rows and rows[0][0] is not None else None


def discard(db: Database, number: int) -> bool:
    """Whether there was one of that number."""
    with db.writing():
        return bool(db.execute("DELETE FROM dead_letter WHERE number = ? RETURNING 1", number))
