"""Versions of a reading: a new one goes out under the same id, and knows what earlier ones said."""

import json

from drivers.api import Reading
from gateway.outbox.database import Database
from gateway.outbox.frozen import freeze, thaw

REMEMBERED = 10  # earlier contents; a meter that changes its mind for ever fills no disk


def was_sent(db: Database, row: int) -> bool:
    """Whether somebody may hold the present version."""
    return (
        db.one(
            "SELECT 1 FROM readings WHERE id = ?"
            " AND (state IN ('published', 'received') OR seq IS NOT NULL)",
            row,
        )
        is not None
    )


def former(db: Database, row: int, sealed: bytes | None) -> tuple[Reading, ...]:
    """What earlier versions said, as its column has it; oldest first."""
    if sealed is None:
        return ()
    texts = json.loads(db.open("readings", row, "former", sealed))
    return tuple(thaw(text.encode()) for text in texts)


def remember(db: Database, row: int, said: Reading) -> None:
    """The present version has been sent, says *said*, and is about to be replaced."""
    known = former(db, row, db.one("SELECT former FROM readings WHERE id = ?", row))
    kept = [*(each for each in known if each != said), said][-REMEMBERED:]
    text = json.dumps([freeze(each).decode() for each in kept]).encode()
    db.execute(
        "UPDATE readings SET former = ? WHERE id = ?",
        db.seal("readings", row, "former", text),
        row,
    )


def anew(db: Database, row: int, *, higher: bool) -> None:
    """Whatever was made of it is dropped; it is made again, with a version that is *higher*.

    Held and parked readings stay where they are.
    """
    db.execute(
        "UPDATE readings SET version = version + ?,"
        " state = CASE WHEN state IN ('published', 'received') THEN 'pending' ELSE state END,"
        " attempts = 0, seq = NULL, sha256 = NULL, publishes = 0, due_at = NULL, puback = NULL,"
        " received_at = NULL WHERE id = ?",
        int(higher),
        row,
    )
    db.execute("DELETE FROM bodies WHERE reading_id = ?", row)
