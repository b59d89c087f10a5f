"""What could not be taken, with the reason, for a human."""

import json
from datetime import datetime

from backend.store.database import Database
from backend.store.moments import moment, text
from backend.store.shapes import DeadLetter, Refusal

# With their octets, for each topic: whoever sends rubbish is not to fill the disk.
WITH_BODY = 100
LARGEST = 262_144  # octets


def bury(db: Database, refusal: Refusal, now: datetime) -> None:
    """Once for each message and reason; a repeat is counted. Inside a transaction."""
    key = (refusal.topic, refusal.sha256, refusal.reason)
    if db.execute(
        "UPDATE dead_letter SET deliveries = deliveries + 1, last_at = ?"
        " WHERE topic = ? AND sha256 = ? AND reason = ? RETURNING number",
        *(text(now), *key),
    ):
        return
    ((others,),) = db.execute(
        "SELECT count(*) FROM dead_letter WHERE topic = ? AND body IS NOT NULL", refusal.topic
    )
    keep = others < WITH_BODY and len(refusal.body) <= LARGEST
    db.execute(
        "INSERT INTO dead_letter (topic, sha256, reason, properties, body, first_at, last_at,"
        " deliveries) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
        *(*key, json.dumps(refusal.properties), refusal.body if keep else None),
        *(text(now), text(now)),
    )


def listed(db: Database) -> list[DeadLetter]:
    rows = db.execute(
        "SELECT number, topic, sha256, reason, first_at, last_at, deliveries, body"
        " FROM dead_letter ORDER BY number"
    )
    return [
        DeadLetter(number, topic, sha256, reason, moment(first), moment(last), times, body)
        for number, topic, sha256, reason, first, last, times, body in rows
    ]


def discard(db: Database, number: int) -> bool:
    """Whether there was one of that number."""
    with db.writing():
        return bool(db.execute("DELETE FROM dead_letter WHERE number = ? RETURNING 1", number))
