"""Rows that wait for a human: held and parked ones, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.outbox.database import Database, Row
from gateway.outbox.moments import from_us

Kind = Literal["reading", "frame"]
State = Literal["held", "parked"]


@dataclass(frozen=True, slots=True)
class Attention:
    """One row that waits for a human."""

    kind: Kind
    row: int
    device: int
    address: str
    driver: str
    state: State
    reason: str
    since: datetime
    slot: int | None
    attempts: int


_REASON = (
    "t.reason || CASE WHEN t.repeats THEN ' (came ' || t.repeats || ' times more)' ELSE '' END"
)


def attention(db: Database, state: State) -> list[Attention]:
    """Everything held or parked, oldest first."""
    found: list[Attention] = []
    kinds: Sequence[tuple[Kind, str, str]] = (
        ("reading", "readings", "t.reason, t.issued_at, t.slot"),
        ("frame", "frames", f"{_REASON}, t.wall, NULL"),
    )
    for kind, table, what_and_since in kinds:
        rows = db.execute(
            f"SELECT t.id, t.device_id, d.address, d.driver, t.state, {what_and_since},"
            f" t.attempts FROM {table} t JOIN devices d ON d.id = t.device_id"
            " WHERE t.state = ? ORDER BY t.id",
            state,
        )
        found += [_attention(kind, row) for row in rows]
    return sorted(found, key=lambda each: each.since)


def _attention(kind: Kind, columns: Row) -> Attention:
    row, device, address, driver, state, reason, since, slot, attempts = columns
    return Attention(
        kind, row, device, address, driver, state, reason or "", from_us(since), slot, attempts
    )
