"""What has come of the numbers that a gateway counts, and what is missing among them."""

from dataclasses import dataclass
from datetime import datetime

from backend.store.database import Database
from backend.store.moments import text
from backend.store.shapes import Place

OPEN = "open"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stream:
    """An epoch of a gateway. Everything up to `highest` has come, but for what is missing."""

    number: int
    highest: int
    new: bool = False


def stream(db: Database, place: Place, now: datetime) -> Stream:
    """That of *place*, made if there is none. To be called inside a transaction."""
    key = (place.gateway, place.epoch)
    found = db.execute("SELECT number, highest FROM stream WHERE gateway = ? AND epoch = ?", *key)
    if found:
        return Stream(*found[0])
    ((number,),) = db.execute(
        "INSERT INTO stream (organisation, gateway, epoch, highest, first_at, last_at)"
        " VALUES (?, ?, ?, 0, ?, ?) RETURNING number",
        *(place.organisation, *key, text(now), text(now)),
    )
    return Stream(number, 0, new=True)


def seen(db: Database, place: Place, now: datetime) -> Stream:
    """The number of *place* has come. Returns the stream as it was before."""
    before = stream(db, place, now)
    db.execute(
        "UPDATE stream SET highest = ?, organisation = ?, last_at = ? WHERE number = ?",
        *(max(before.highest, place.seq), place.organisation, text(now), before.number),
    )
    if place.seq > before.highest:
        _miss(db, before.number, (before.highest + 1, place.seq - 1), now)
    else:
        take_out(db, before.number, (place.seq, place.seq), None, None)
    return before


def sent_up_to(db: Database, place: Place, now: datetime) -> None:
    """The gateway says that everything up to `place.seq` has been confirmed to it."""
    before = stream(db, place, now)
    if place.seq > before.highest:
        _miss(db, before.number, (before.highest + 1, place.seq), now)
        db.execute("UPDATE stream SET highest = ? WHERE number = ?", place.seq, before.number)


def take_out(db: Database, stream: int, span: Span, state: str | None, reason: str | None) -> None:
    """*span* has come (*state* None), or never will: then *state* and *reason* say why."""
    first, last = span
    for was_first, was_last, since, was, asked, ask_at, why in db.execute(
        "SELECT first, last, since, state, asked, ask_at, reason FROM missing"
        " WHERE stream = ? AND first <= ? AND last >= ?",
        *(stream, last, first),
    ):
        db.execute("DELETE FROM missing WHERE stream = ? AND first = ?", stream, was_first)
        pieces = [
            (was_first, first - 1, was, why),
            (last + 1, was_last, was, why),
        ]
        if state is not None:
            pieces.append((max(first, was_first), min(last, was_last), state, reason))
        for from_, to, what, because in pieces:
            if from_ <= to:
                db.execute(
                    "INSERT INTO missing VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(stream, from_, to, since, what, because, asked, ask_at),
                )


def _miss(db: Database, stream: int, span: Span, now: datetime) -> None:
    if span[0] <= span[1]:
        db.execute(
            "INSERT INTO missing VALUES (?, ?, ?, ?, ?, NULL, 0, ?)",
            *(stream, *span, text(now), OPEN, text(now)),
        )
