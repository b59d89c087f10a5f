"""The queue of what is to be handed on, and the receipts that follow from it.

Who is to get it, and how far each has come, stands in `backend.store.parties`: a reading waits
here until all of them have come to an end with it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.store.database import Database, marks
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


# A gateway that moved listens on its present topics alone, whatever it sent on those before.
_UNTOLD = """SELECT o.position, r.id, r.sha256,
    coalesce((SELECT g.organisation FROM gateway g WHERE g.name = r.gateway
        ORDER BY g.said_at DESC LIMIT 1), r.organisation),
    r.gateway, r.epoch, o.state, o.reason
    FROM onward o JOIN reading r ON {of} = o.reading
    WHERE o.state <> 'waiting' AND o.told_at IS NULL AND o.position > ? AND o.position <= ?
    ORDER BY o.position"""


def untold(db: Database, most: int, after: int = 0) -> list[Outcome]:
    """What the gateways have not been told yet, of *most* readings behind the position *after*; who
    sent a copy as well.
    """
    rows = db.execute(
        "SELECT position FROM onward WHERE state <> 'waiting' AND told_at IS NULL AND position > ?"
        " ORDER BY position LIMIT ?",
        *(after, most),
    )
    if not rows:
        return []
    own = db.execute(_UNTOLD.format(of="r.number"), after, rows[-1][0])
    copies = db.execute(_UNTOLD.format(of="r.copy_of"), after, rows[-1][0])
    return [Outcome(position, UUID(name), *rest) for position, name, *rest in (*own, *copies)]


def tell_again(db: Database, readings: Sequence[int]) -> None:
    """Of these a copy came, from a gateway that has not been told. Inside a transaction."""
    if readings:
        db.execute(
            "UPDATE onward SET told_at = NULL WHERE state <> 'waiting'"
            f" AND reading IN {marks(readings)}",
            *readings,
        )


def told(db: Database, outcomes: list[Outcome], now: datetime) -> None:
    """They have been told; but for what a copy came of meanwhile."""
    with db.writing():
        for position, number in Counter(each.position for each in outcomes).items():
            db.execute(
                "UPDATE onward SET told_at = ? WHERE position = ? AND ? = 1 +"
                " (SELECT count(*) FROM reading c WHERE c.copy_of = onward.reading)",
                *(text(now), position, number),
            )
