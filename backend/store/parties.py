"""What each party is to get, in order; each goes on by itself, whatever became of the others.

In which order, see `backend.store.due`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.store.database import Database
from backend.store.moments import moment, text
from backend.store.onward import MAX_REASON, settle_within
from backend.store.shapes import Settled

# "nothing": none of it is theirs.
End = Literal["delivered", "undeliverable", "nothing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a party has come. *reason*: why the reading that was tried most was not taken."""

    party: str
    waiting: int
    since: datetime | None  # the oldest of what waits was stored
    attempts: int  # with the one that was tried most
    reason: str | None
    trouble: str | None  # with its files


def share(db: Database, parties: Sequence[str], after: int, now: datetime) -> int:
    """Note for each party that it is to get what was queued behind position *after*.

    Returns the position up to which that is done. 0 for *after*: a beginning. Then parties that
    are no more are forgotten, and new ones get whatever waits.
    """
    ((newest,),) = db.execute("SELECT max(position) FROM onward WHERE state = 'waiting'")
    if newest is None or newest <= after:
        return after
    with db.writing():
        if after == 0:
            _forget_all_but(db, parties)
        for party in parties:
            db.execute(
                "INSERT INTO onward_to (party, reading, position, stream, seq, state, due_at,"
                " attempts) SELECT ?, o.reading, o.position, o.stream, o.seq, 'waiting', o.due_at,"
                " 0 FROM onward o WHERE o.state = 'waiting' AND o.position > ? AND NOT EXISTS"
                " (SELECT 1 FROM onward_to t WHERE t.party = ? AND t.reading = o.reading)",
                *(party, after, party),
            )
        done = db.execute(
            "SELECT o.position FROM onward o WHERE o.state = 'waiting' AND o.position > ?"
            " AND NOT EXISTS (SELECT 1 FROM onward_to t"
            "  WHERE t.reading = o.reading AND t.state = 'waiting')",
            after,
        )
        for (position,) in done:
            _conclude(db, position, parties, now)
    return int(newest)


def _forget_all_but(db: Database, parties: Sequence[str]) -> None:
    db.execute(  # taken out of the queue, with its body, while nothing was handed on
        "DELETE FROM onward_to WHERE state = 'waiting'"
        " AND NOT EXISTS (SELECT 1 FROM onward o WHERE o.reading = onward_to.reading)"
    )
    for (party,) in db.execute("SELECT DISTINCT party FROM onward_to WHERE state = 'waiting'"):
        if party not in parties:
            db.execute("DELETE FROM onward_to WHERE party = ? AND state = 'waiting'", party)
            db.execute("DELETE FROM onward_begun WHERE party = ?", party)
    for (party,) in db.execute("SELECT party FROM onward_trouble"):
        if party not in parties:
            db.execute("DELETE FROM onward_trouble WHERE party = ?", party)


def begin(db: Database, party: str, position: int, *, anew: bool = False) -> int:
    """Before it is handed on: one try more. Returns how many before it came to no end that was
    meant: the receiver died, or was at fault. *anew*: those do not count.
    """
    with db.writing():
        if anew:
            _ended(db, party, position)
        db.execute(
            "UPDATE onward_to SET attempts = attempts + 1"
            " WHERE party = ? AND position = ? AND state = 'waiting'",
            *(party, position),
        )
        ((times,),) = db.execute(
            "INSERT INTO onward_begun VALUES (?, ?, 1) ON CONFLICT (party, position)"
            " DO UPDATE SET times = onward_begun.times + 1 RETURNING times",
            *(party, position),
        )
    return int(times) - 1


def settle(
    db: Database,
    parties: Sequence[str],
    party: str,
    position: int,
    end: End,
    reason: str | None,
    now: datetime,
) -> None:
    """The end of it for *party*; for everybody, if it was the last of *parties*."""
    with db.writing():
        db.execute(
            "UPDATE onward_to SET state = ?, reason = ?, settled_at = ?"
            " WHERE party = ? AND position = ? AND state = 'waiting'",
            *(end, reason and reason[:MAX_REASON], text(now), party, position),
        )
        _ended(db, party, position)
        _conclude(db, position, parties, now)


def _conclude(db: Database, position: int, parties: Sequence[str], now: datetime) -> None:
    rows = db.execute(
        "SELECT t.party, t.state, t.reason, r.organisation FROM onward o"
        " JOIN onward_to t ON t.reading = o.reading JOIN reading r ON r.number = o.reading"
        " WHERE o.position = ? AND o.state = 'waiting' ORDER BY t.party",
        position,
    )
    theirs = [row for row in rows if row[0] in parties]
    if not theirs or any(state == "waiting" for _, state, *_ in theirs):
        return
    status: Settled = "delivered"
    refused = [f"{party}: {reason}" for party, state, reason, _ in theirs if state == _REFUSED]
    said = [reason for _, state, reason, _ in theirs if state == "delivered" and reason]
    if not any(state != "nothing" for _, state, *_ in theirs):
        refused = [f"no party is set up for it (organisation {theirs[0][3]})"]
    if refused:
        status = _REFUSED
    words = "; ".join(refused or dict.fromkeys(said)) or None
    settle_within(db, position, status, words, now)


_REFUSED: Literal["undeliverable"] = "undeliverable"


def postpone(
    db: Database, party: str, position: int, reason: str, due: datetime, *, meant: bool = True
) -> None:
    """To be tried again at *due*. *meant*: it was the party, and no fault of ours."""
    with db.writing():
        db.execute(
            "UPDATE onward_to SET reason = ?, due_at = ?"
            " WHERE party = ? AND position = ? AND state = 'waiting'",
            *(reason[:MAX_REASON], text(due), party, position),
        )
        if meant:
            _ended(db, party, position)


def _ended(db: Database, party: str, position: int) -> None:
    db.execute("DELETE FROM onward_begun WHERE party = ? AND position = ?", party, position)


def trouble(db: Database, party: str, words: str | None) -> None:
    """What is wrong with a party's files; None: nothing any more."""
    with db.writing():
        db.execute("DELETE FROM onward_trouble WHERE party = ?", party)
        if words is not None:
            db.execute("INSERT INTO onward_trouble VALUES (?, ?)", party, words)


def standings(db: Database) -> list[Standing]:
    """Of every party that something waits for, or that is in trouble."""
    waiting = db.execute(
        "SELECT t.party, count(*), min(o.queued_at) FROM onward_to t"
        " JOIN onward o ON o.reading = t.reading WHERE t.state = 'waiting' GROUP BY t.party"
    )
    troubles: dict[str, str] = dict(db.execute("SELECT party, words FROM onward_trouble"))
    found = [
        Standing(party, number, moment(since), *_most_tried(db, party), troubles.pop(party, None))
        for party, number, since in waiting
    ]
    found += [Standing(party, 0, None, 0, None, words) for party, words in troubles.items()]
    return sorted(found, key=lambda each: each.party)


def _most_tried(db: Database, party: str) -> tuple[int, str | None]:
    ((attempts, reason),) = db.execute(
        "SELECT attempts, reason FROM onward_to WHERE party = ? AND state = 'waiting'"
        " ORDER BY attempts DESC, position LIMIT 1",
        party,
    )
    return int(attempts), reason
