"""The receivers' words on readings, and what each does to a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.outbox import announcements
from gateway.outbox.database import Database
from gateway.outbox.moments import to_us

WORDS_AT_MOST = 100  # on one reading; where any receiver will do, anybody may take any name


@dataclass(frozen=True, slots=True)
class ReceiptNote:
    """One receiver's word on one reading, as it came."""

    id: str
    epoch: str
    sha256: str
    by: str
    status: str
    reason: str


def take(
    db: Database, notes: Sequence[ReceiptNote], required: Sequence[str], now: datetime
) -> list[str]:
    """Take a receiver's words. Returns what each did: "received", "waiting" (more must say so),
    "rejected", "onward", or why it changed nothing: "unknown", "stale" or "mismatch".
    """
    with db.transaction(relieving=True):
        outcomes = [_receipt(db, note, required, now) for note in notes]
        for outcome in outcomes:
            if outcome in ("unknown", "stale", "mismatch"):
                db.count(f"receipts {outcome}")
    return outcomes


def _receipt(db: Database, note: ReceiptNote, required: Sequence[str], now: datetime) -> str:
    found = db.execute(
        "SELECT id, version, sha256, state FROM readings WHERE public_id = ?", note.id
    ).fetchone()
    if note.epoch != db.epoch:
        return "unknown"
    if found is None:
        said = (note.id, note.sha256, note.by, note.status)
        return announcements.receipt(db, *said, required, now)
    row, version, digest, state = found
    if digest is None or note.sha256 != digest:
        return "mismatch"
    if required and note.by not in required:
        return "unknown"
    known = (row, note.by, version, note.status)
    heard = db.one(
        "SELECT 1 FROM receipts"
        " WHERE reading_id = ? AND receiver = ? AND version = ? AND status = ?",
        *known,
    )
    if not heard:
        if db.one("SELECT count(*) FROM receipts WHERE reading_id = ?", row) >= WORDS_AT_MOST:
            return "unknown"
        db.execute(
            "INSERT INTO receipts (reading_id, receiver, version, status, at)"
            " VALUES (?, ?, ?, ?, ?)",
            *known,
            to_us(now),
        )
    if note.status in ("delivered", "undeliverable"):
        if heard:
            return "stale"
        db.note(to_us(now), note.status, None, row)
        return "onward"
    # A parked one that a receiver holds after all needs nobody any more.
    if state not in ("pending", "published", "parked"):
        return "stale"
    if note.status == "rejected":
        if state == "parked":
            return "stale"
        db.execute(
            "UPDATE readings SET state = 'parked', reason = ? WHERE id = ?",
            f"rejected by {note.by}: {note.reason}",
            row,
        )
        db.note(to_us(now), "parked", None, row, "rejected")
        return "rejected"
    if not _all_have_it(db, row, version, required):
        return "waiting"
    db.execute(
        "UPDATE readings SET state = 'received', reason = NULL, received_at = ?, due_at = NULL"
        " WHERE id = ?",
        to_us(now),
        row,
    )
    db.note(to_us(now), "received", None, row, note.by)
    return "received"


def _all_have_it(db: Database, row: int, version: int, required: Sequence[str]) -> bool:
    holders = {
        receiver
        for (receiver,) in db.execute(
            "SELECT receiver FROM receipts WHERE reading_id = ? AND version = ?"
            " AND status IN ('stored', 'duplicate')",
            row,
            version,
        )
    }
    return bool(holders) and holders.issuperset(required)
