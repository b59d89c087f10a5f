"""A reading that was sent and should not have been: withdrawn, or put back in force.

Whoever has it is told by a next version of the same id, in which every Observation is
`entered-in-error`. It takes what the reading said, and so can be done until that is purged.
"""

from datetime import datetime

from gateway.outbox import versions
from gateway.outbox.database import Database
from gateway.outbox.moments import to_us
from gateway.outbox.technician import Declined
from gateway.outbox.trace import row_of


class Already(Declined):
    """It is as was asked for."""


def withdraw(db: Database, name: int | str, now: datetime, *, undo: bool = False) -> int:
    """*name*: its row, or how its public id begins. Returns its row.

    Raises Declined, and Unclear where no one reading is meant.
    """
    with db.transaction():
        row = row_of(db, name)
        _fit(db, row, undo)
        if not versions.was_sent(db, row) and not _earlier_was_sent(db, row):
            raise Declined(f"r{row} has not been sent to anybody yet; try again in a minute")
        db.execute(
            "UPDATE readings SET withdrawn_at = ?, issued_at = ?, issued_known = 1, reason = NULL,"
            " state = CASE state WHEN 'parked' THEN 'pending' ELSE state END WHERE id = ?",
            None if undo else to_us(now),
            to_us(now),
            row,
        )
        versions.anew(db, row, higher=versions.was_sent(db, row))
        device = db.one("SELECT device_id FROM readings WHERE id = ?", row)
        db.note(to_us(now), "restored" if undo else "withdrawn", device, row)
    return row


def _fit(db: Database, row: int, undo: bool) -> None:
    state, purged, withdrawn = db.execute(
        "SELECT state, reading IS NULL, withdrawn_at IS NOT NULL FROM readings WHERE id = ?", row
    ).fetchone()
    if state == "ignored":
        raise Declined(f"r{row} is not forwarded to anybody: there is nothing to withdraw")
    if state == "held":
        raise Declined(f"r{row} is held and nobody has it: hjemgate held discard r{row}")
    if purged:
        raise Declined(
            f"r{row} was confirmed so long ago that its contents are purged here: it has to be"
            " withdrawn where it is kept, at the receiver's side"
        )
    if withdrawn and not undo:
        raise Already(f"r{row} is withdrawn already")
    if undo and not withdrawn:
        raise Already(f"r{row} is not withdrawn: it is in force")


def _earlier_was_sent(db: Database, row: int) -> bool:
    return bool(db.one("SELECT version > 1 FROM readings WHERE id = ?", row))
