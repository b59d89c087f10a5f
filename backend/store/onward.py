"""The queue of what is to be handed on, and the receipts that follow from it.

Who is to get it, and how far each has come, stands in `backend.store.parties`: a reading waits
here until all of them have come to an end with it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.store.database import Database
from backend.store.moments import text
from backend.store.shapes import Settled

MAX_REASON = 500  # characters, in a receipt
LATER_VERSION = "a later version of it had been delivered"
LATER_REFUSED = "a later version of it could not be delivered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a reading onward, and is to be told to its gateway."""

    position: int
    id: UUID
    sha256: str
    organisation: str
    gateway: str
    epoch: str
    status: Settled
    reason: str | None


def settle(db: Database, position: int, status: Settled, reason: str | None, now: datetime) -> None:
    """Its end, for everybody."""
    with db.writing():
        settle_within(db, position, status, reason, now)


def settle_within(
    db: Database, position: int, status: Settled, reason: str | None, now: datetime
) -> None:
    """The same, inside a transaction."""
    db.execute(
        "UPDATE onward SET state = ?, reason = ?, settled_at = ?, attempts = attempts + 1"
        " WHERE position = ? AND state = 'waiting'",
        *(status, reason and reason[:MAX_REASON], text(now), position),
    )


def again(db: Database, now: datetime) -> int:
    """Whatever was undeliverable is queued anew, for those who have not taken it, with all its
    tries before it. Returns how many.
    """
    with db.writing():
        rows = db.execute(
            "DELETE FROM onward WHERE state = 'undeliverable'"
            " RETURNING position, reading, stream, seq, queued_at"
        )
        for _, reading, stream, seq, queued_at in sorted(rows):
            db.execute(
                "DELETE FROM onward_to WHERE reading = ? AND state <> 'delivered'",
                reading,
            )
            db.execute(
                "INSERT INTO onward (reading, stream, seq, state, queued_at, due_at, attempts)"
                " VALUES (?, ?, ?, 'waiting', ?, ?, 0)",
                *(reading, stream, seq, queued_at, text(now)),
            )
    return len(rows)


def untold(db: Database, most: int) -> list[Outcome]:
    """What the gateways have not been told yet."""
    rows = db.execute(
        "SELECT o.position, r.id, r.sha256, r.organisation, r.gateway, r.epoch, o.state, o.reason"
        " FROM onward o JOIN reading r ON r.number = o.reading"
        " WHERE o.state <> 'waiting' AND o.told_at IS NULL ORDER BY o.position LIMIT ?",
        most,
    )
    return [Outcome(position, UUID(name), *rest) for position, name, *rest in rows]


def told(db: Database, outcomes: list[Outcome], now: datetime) -> None:
    with db.writing():
        for outcome in outcomes:
            db.execute(
                "UPDATE onward SET told_at = ? WHERE position = ?", text(now), outcome.position
            )
