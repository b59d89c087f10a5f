"""Journeys: what happened to which reading, and when; without values, without persons."""

from dataclasses import dataclass
from datetime import datetime

from gateway.outbox.database import Database
from gateway.outbox.moments import from_us


@dataclass(frozen=True, slots=True)
class Step:
    """One step: kept (octets on disk), stored, published, received, held, parked, ..."""

    id: int
    at: datetime
    step: str
    device: int | None
    driver: str | None
    reading: int | None
    public_id: str | None
    detail: str


def since(db: Database, last: int, limit: int = 200) -> list[Step]:
    """Steps after the one numbered *last*, in order."""
    rows = db.execute(
        "SELECT j.id, j.at, j.step, coalesce(j.device_id, r.device_id), d.driver, j.reading_id,"
        " r.public_id, j.detail FROM journey j LEFT JOIN readings r ON r.id = j.reading_id"
        " LEFT JOIN devices d ON d.id = coalesce(j.device_id, r.device_id)"
        " WHERE j.id > ? ORDER BY j.id LIMIT ?",
        last,
        limit,
    ).fetchall()
    return [
        Step(id_, from_us(at), step, device, driver, reading, public_id, detail or "")
        for id_, at, step, device, driver, reading, public_id, detail in rows
    ]


def newest(db: Database) -> int:
    return int(db.one("SELECT coalesce(max(id), 0) FROM journey"))
