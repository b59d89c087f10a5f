"""Commands to gateways: made here, sent and answered over the broker, all of it on disk."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from backend.store import streams
from backend.store.database import Database, marks
from backend.store.moments import moment, text
from gateway.contract import REPLAY, WITHDRAW

TRIES = 5  # of asking for the same numbers; then a human should look
LIFE = timedelta(days=1)  # of a command, and until the next try
AT_ONCE = 20  # gaps in one look

UNANSWERED = f"asked {TRIES} times, and it did not come"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A replay: a span of numbers (*last* None: to the end), or what was confirmed *since*."""

    command: ClassVar = REPLAY

    epoch: str | None = None
    first: int | None = None
    last: int | None = None
    since: datetime | None = None

    def arguments(self) -> dict[str, Any]:
        """Of the command."""
        if self.since is not None:
            return {"since": self.since.isoformat()}
        span = {"epoch": self.epoch, "first": self.first, "last": self.last}
        return {name: value for name, value in span.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A reading was sent in error; *undo*: it was right after all."""

    reading: UUID
    undo: bool = False
    command: ClassVar = WITHDRAW

    def arguments(self) -> dict[str, Any]:
        """Of the command."""
        return {"reading": str(self.reading), "undo": self.undo}


@dataclass(frozen=True, slots=True)
class Ask:
    """To be signed and sent."""

    id: UUID
    organisation: str
    gateway: str
    wanted: Wanted | Withdrawal
    issuer: str
    number: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    status: str  # done, refused, failed
    reason: str | None
    result: dict[str, Any] | None


def make(
    db: Database, organisation: str, gateway: str, wanted: Wanted | Withdrawal, now: datetime
) -> UUID:
    """To be sent as soon as may be."""
    with db.writing():
        if isinstance(wanted, Wanted):
            return _make(db, organisation, gateway, wanted, now)
        name = _make(db, organisation, gateway, Wanted(), now)
        db.execute(
            "INSERT INTO withdrawal VALUES (?, ?, ?)",
            *(str(name), str(wanted.reading), int(wanted.undo)),
        )
        return name


def _make(db: Database, organisation: str, gateway: str, wanted: Wanted, now: datetime) -> UUID:
    name = uuid4()
    db.execute(
        "INSERT INTO ask (id, organisation, gateway, epoch, first, last, since, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(str(name), organisation, gateway, wanted.epoch, wanted.first, wanted.last),
        *(None if wanted.since is None else text(wanted.since), text(now)),
    )
    return name


def ask_for_missing(db: Database, patience: timedelta, now: datetime) -> int:
    """Make a command for each gap that is older than *patience*. Returns how many."""
    with db.writing():
        rows = db.execute(
            "SELECT m.stream, m.first, m.last, m.asked, m.reason, s.organisation, s.gateway,"
            " s.epoch"
            " FROM missing m JOIN stream s ON s.number = m.stream"
            " WHERE m.state = 'open' AND m.since <= ? AND m.ask_at <= ?"
            " AND s.organisation <> '' ORDER BY m.since LIMIT ?",
            *(text(now - patience), text(now), AT_ONCE),
        )
        for stream, first, last, asked, said, organisation, gateway, epoch in rows:
            if asked >= TRIES:
                streams.take_out(db, stream, (first, last), "failed", said or UNANSWERED)
                continue
            _make(db, organisation, gateway, Wanted(epoch, first, last), now)
            db.execute(
                "UPDATE missing SET asked = asked + 1, ask_at = ? WHERE stream = ? AND first = ?",
                *(text(now + LIFE), stream, first),
            )
    return len(rows)


def next_to_send(db: Database, issuer: str, now: datetime, but: Collection[str] = ()) -> Ask | None:
    """With a number of *issuer* that is on disk before anybody sees it; the same one until it is
    marked as sent, or has expired. One process at a time: numbers must reach a gateway in order.
    *but*: to none of these gateways.
    """
    with db.writing():
        rows = db.execute(
            "SELECT id, organisation, gateway, epoch, first, last, since, issuer, number, expires"
            f" FROM ask WHERE sent_at IS NULL AND gateway NOT IN {marks(but or ('',))}"
            " ORDER BY number IS NULL, number, made_at LIMIT 1",
            *(but or ("",)),
        )
        if not rows:
            return None
        name, organisation, gateway, epoch, first, last, since, by, number, expires = rows[0]
        if number is None or moment(expires) <= now:
            by, expires = issuer, text(now + LIFE)
            ((number,),) = db.execute(
                "INSERT INTO issuer VALUES (?, 1) ON CONFLICT (name)"
                " DO UPDATE SET number = issuer.number + 1 RETURNING number",
                issuer,
            )
            db.execute(
                "UPDATE ask SET issuer = ?, number = ?, expires = ? WHERE id = ?",
                *(by, number, expires, name),
            )
        withdrawn = db.execute("SELECT reading, undo FROM withdrawal WHERE ask = ?", name)
    wanted: Wanted | Withdrawal
    if withdrawn:
        wanted = Withdrawal(UUID(withdrawn[0][0]), bool(withdrawn[0][1]))
    else:
        wanted = Wanted(epoch, first, last, None if since is None else moment(since))
    return Ask(UUID(name), organisation, gateway, wanted, by, number, moment(expires))


def sent(db: Database, ask: UUID, now: datetime) -> None:
    with db.writing():
        db.execute("UPDATE ask SET sent_at = ? WHERE id = ?", text(now), str(ask))


def answered(db: Database, ask: UUID, gateway: str, answer: Answer, now: datetime) -> bool:
    """Whether *gateway* was asked that. What it says will not come is missing for good."""
    with db.writing():
        rows = db.execute(
            "SELECT epoch, first, last FROM ask WHERE id = ? AND gateway = ?", str(ask), gateway
        )
        if not rows:
            return False
        result = None if answer.result is None else json.dumps(answer.result)
        db.execute(
            "UPDATE ask SET answered_at = ?, status = ?, reason = ?, result = ? WHERE id = ?",
            *(text(now), answer.status, answer.reason, result, str(ask)),
        )
        ((epoch, first, last),) = rows
        for (stream,) in db.execute(
            "SELECT number FROM stream WHERE gateway = ? AND epoch = ?", gateway, epoch
        ):
            if answer.status == "refused":  # its clock was not set yet, perhaps: ask tomorrow
                db.execute(
                    "UPDATE missing SET reason = ? WHERE stream = ? AND state = 'open'"
                    " AND first <= ? AND last >= ?",
                    *(answer.reason, stream, _end(last), first),
                )
            for span, state, reason in _will_not_come(answer, first, last):
                streams.take_out(db, stream, span, state, reason)
    return True


def _will_not_come(
    answer: Answer, first: int, last: int | None
) -> list[tuple[streams.Span, str, str | None]]:
    end = _end(last)
    if answer.status == "failed":
        return [((first, end), "failed", answer.reason)]
    result: Mapping[str, Any] = answer.result or {}
    return [
        ((max(low, first), min(high, end)), state, None)
        for state in ("gone", "void")
        for low, high in result.get(state, ())
        if low <= end and high >= first
    ]


def _end(last: int | None) -> int:
    return 2**63 - 1 if last is None else last


def answer_to(db: Database, ask: UUID) -> Answer | None:
    """None as long as there is none."""
    rows = db.execute(
        "SELECT status, reason, result FROM ask WHERE id = ? AND status IS NOT NULL", str(ask)
    )
    if not rows:
        return None
    status, reason, result = rows[0]
    return Answer(status, reason, None if result is None else json.loads(result))
