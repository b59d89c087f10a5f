"""Commands from afar: on disk before they are acknowledged, and none carried out twice."""

from dataclasses import dataclass
from datetime import datetime

from gateway.outbox.database import Database
from gateway.outbox.moments import to_us


class Old(Exception):
    """Its number is not higher than every one of its issuer before."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who commands what, by number and id."""

    issuer: str
    number: int
    id: str


def accept(db: Database, order: Order, known: int, now: datetime) -> str | None:
    """Note an order before it is carried out.

    Returns what became of it if it was carried out before, else None: carry it out. *known*: the
    highest number of the issuer that is remembered elsewhere. Raises Old.
    """
    row = db.execute(
        "SELECT id, outcome FROM commands WHERE issuer = ? AND number = ?",
        order.issuer,
        order.number,
    ).fetchone()
    if row is not None and row[0] == order.id:
        return None if row[1] is None else str(row[1])
    highest = db.one("SELECT max(number) FROM commands WHERE issuer = ?", order.issuer) or 0
    if order.number <= max(known, highest):
        raise Old(f"number {order.number} of this issuer came already, or a higher one")
    with db.transaction():
        db.execute(
            "INSERT INTO commands (issuer, number, id, at) VALUES (?, ?, ?, ?)",
            order.issuer,
            order.number,
            order.id,
            to_us(now),
        )
    return None


def done(db: Database, order: Order, outcome: str) -> None:
    """It was carried out, or failed for good; *outcome* is what its issuer is told."""
    with db.transaction():
        db.execute(
            "UPDATE commands SET outcome = ? WHERE issuer = ? AND number = ?",
            outcome,
            order.issuer,
            order.number,
        )
