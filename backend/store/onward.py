"""The queue of what is to be handed on, in order; and the receipts that follow from it.

Of one gateway: in the order of its numbers, an epoch after the other; a number that is missing
holds back those behind it for a while. Of several: in the order of arrival. A reading that has to
be tried again holds back its own gateway alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from backend.store.database import Database
from backend.store.moments import text
from backend.store.shapes import ToHandOn

Settled = Literal["delivered", "undeliverable"]

MAX_REASON = 500  # characters, in a receipt
LATER_VERSION = "a later version of it had been delivered"


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


def next_to_hand_on(db: Database, now: datetime, grace: timedelta) -> ToHandOn | None:
    """What is due; None if nothing is. *grace*: how long to wait for a missing number."""
    rows = db.execute(
        "SELECT o.position, r.id, r.version, r.sha256, r.organisation, r.gateway, r.epoch, r.body,"
        " o.attempts, EXISTS (SELECT 1 FROM onward d JOIN reading l ON l.number = d.reading"
        "  WHERE l.id = r.id AND l.version > r.version AND d.state = 'delivered')"
        " FROM onward o JOIN reading r ON r.number = o.reading"
        " WHERE o.state = 'waiting' AND o.due_at <= ?"
        " AND NOT EXISTS (SELECT 1 FROM onward e"
        "  WHERE e.state = 'waiting' AND e.stream = o.stream AND e.seq < o.seq)"
        " AND NOT EXISTS (SELECT 1 FROM stream s JOIN onward e ON e.stream = s.number"
        "  WHERE s.gateway = r.gateway AND s.number < o.stream AND e.state = 'waiting')"
        " AND (o.queued_at <= ? OR NOT EXISTS (SELECT 1 FROM missing m"
        "  WHERE m.stream = o.stream AND m.state = 'open' AND m.first < o.seq))"
        " ORDER BY o.position LIMIT 1",
        *(text(now), text(now - grace)),
    )
    if not rows:
        return None
    position, name, version, sha256, organisation, gateway, epoch, body, attempts, passed = rows[0]
    return ToHandOn(
        *(position, UUID(name), version, sha256, organisation, gateway, epoch, bytes(body)),
        *(attempts, bool(passed)),
    )


def settle(db: Database, position: int, status: Settled, reason: str | None, now: datetime) -> None:
    with db.writing():
        db.execute(
            "UPDATE onward SET state = ?, reason = ?, settled_at = ?, attempts = attempts + 1"
            " WHERE position = ? AND state = 'waiting'",
            *(status, reason and reason[:MAX_REASON], text(now), position),
        )


def again(db: Database, now: datetime) -> int:
    """Whatever was undeliverable waits once more. Returns how many."""
    with db.writing():
        return len(
            db.execute(
                "UPDATE onward SET state = 'waiting', due_at = ?, settled_at = NULL,"
                " told_at = NULL WHERE state = 'undeliverable' RETURNING position",
                text(now),
            )
        )


def postpone(db: Database, position: int, reason: str, due: datetime) -> None:
    """To be tried again at *due*."""
    with db.writing():
        db.execute(
            "UPDATE onward SET reason = ?, due_at = ?, attempts = attempts + 1 WHERE position = ?",
            *(reason, text(due), position),
        )


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
