"""What has been sent to FUT, written down before each call.

`$submit-measurement` knows no repeats: what it is given twice is there twice. So a row says
`sending` before the call and `sent` after a good answer; a row that still says `sending` is looked
for at FUT before anything is sent again. No measured value stands here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.fut.projection import Sought
from backend.store import Database
from backend.store.moments import moment, text

TABLE = """CREATE TABLE IF NOT EXISTS fut_submission (
    party TEXT NOT NULL,
    reading TEXT NOT NULL,
    version BIGINT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    episode TEXT NOT NULL,
    sought TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (party, reading, version, key)
)"""


@dataclass(frozen=True, slots=True)
class Row:
    """One submission. `state`: sending, sent."""

    version: int
    key: str
    state: str
    episode: str
    sought: tuple[Sought, ...]
    at: datetime


def prepare(db: Database) -> None:
    with db.writing():
        db.execute(TABLE)


def rows(db: Database, party: str, reading: UUID) -> list[Row]:
    """Of every version."""
    found = db.execute(
        "SELECT version, key, state, episode, sought, at FROM fut_submission"
        " WHERE party = ? AND reading = ? ORDER BY version, at, key",
        *(party, str(reading)),
    )
    return [
        Row(version, key, state, episode, _read(sought), moment(at))
        for version, key, state, episode, sought, at in found
    ]


def begin(
    db: Database,
    party: str,
    reading: UUID,
    version: int,
    episode: str,
    sought: Sequence[Sought],
    now: datetime,
) -> bool:
    """Before the call. False if it is being sent, or was sent: by another receiver, perhaps."""
    with db.writing():
        return bool(
            db.execute(
                "INSERT INTO fut_submission VALUES (?, ?, ?, ?, 'sending', ?, ?, ?)"
                " ON CONFLICT DO NOTHING RETURNING key",
                *(party, str(reading), version, _key(sought), episode, _written(sought), text(now)),
            )
        )


def called(
    db: Database, party: str, reading: UUID, version: int, sought: Sequence[Sought], now: datetime
) -> None:
    """It is being called once more, or the call has just ended without telling what it did."""
    with db.writing():
        db.execute(
            "UPDATE fut_submission SET at = ?"
            " WHERE party = ? AND reading = ? AND version = ? AND key = ? AND state = 'sending'",
            *(text(now), party, str(reading), version, _key(sought)),
        )


def sent(db: Database, party: str, reading: UUID, version: int, sought: Sequence[Sought]) -> None:
    """FUT has it."""
    with db.writing():
        db.execute(
            "UPDATE fut_submission SET state = 'sent'"
            " WHERE party = ? AND reading = ? AND version = ? AND key = ?",
            *(party, str(reading), version, _key(sought)),
        )


def not_sent(
    db: Database, party: str, reading: UUID, version: int, sought: Sequence[Sought]
) -> None:
    """FUT has it not: it may be sent."""
    with db.writing():
        db.execute(
            "DELETE FROM fut_submission"
            " WHERE party = ? AND reading = ? AND version = ? AND key = ? AND state = 'sending'",
            *(party, str(reading), version, _key(sought)),
        )


def _key(sought: Sequence[Sought]) -> str:
    return min(each.identifier for each in sought)


def _written(sought: Sequence[Sought]) -> str:
    return json.dumps(
        [[s.identifier, s.patient, s.code, text(s.moment), s.based_on] for s in sought]
    )


def _read(written: str) -> tuple[Sought, ...]:
    return tuple(
        Sought(identifier, patient, code, moment(at), based_on)
        for identifier, patient, code, at, based_on in json.loads(written)
    )
