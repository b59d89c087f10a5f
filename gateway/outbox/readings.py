"""Readings: filed once under their identity, amended at most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from drivers.api import Reading
from gateway.outbox import frames, versions
from gateway.outbox.database import Database
from gateway.outbox.devices import still_there
from gateway.outbox.frames import Kept
from gateway.outbox.frozen import freeze, thaw
from gateway.outbox.moments import naive_text, to_us


@dataclass(frozen=True, slots=True)
class Identified:
    """A decoded reading with all that decides where it goes."""

    device: int
    session: int
    reading: Reading
    natural_key: bytes  # the driver's: without clock segment or arrival
    place: bytes  # what the key needs beside it: the clock segment, the arrival, or nothing
    segment: int | None
    binding: int | None
    public_id: str | None  # of a first occurrence; see `file`
    effective: datetime | None
    issued: datetime
    issued_known: bool  # False: by a clock that could not be trusted
    state: str  # "pending", "held" or "ignored"
    reason: str | None
    same_as: int | None = None  # the row of this measurement under its former number


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of it."""

    row: int
    outcome: str  # "new", "repeat" or "amended"


def repeat(
    db: Database, fresh: Sequence[Kept], row: int, joins: bytes | None, now: datetime
) -> None:
    """Frames that say nothing new of a known reading."""
    with db.transaction():
        frames.attached(db, fresh, "repeat", row, joins)
        db.note(to_us(now), "repeat", fresh[0].device, row)


def file(
    db: Database,
    items: Sequence[Identified],
    parts: Sequence[Kept],
    joins: bytes | None,
    now: datetime,
) -> list[Filed]:
    """Store readings under their identity: new rows, repeats of known ones, or amendments.

    *parts*: the frames that they came in, new ones and such as waited for them. Where one number
    has two records they come together, and the frames belong to the one of which they are news.
    """
    with db.transaction():
        still_there(db, items[0].device)
        filed = [_file(db, item, parts, now) for item in items]
        news = [each for each in filed if each.outcome != "repeat"]
        state, owner = ("decoded", news[-1]) if news else ("repeat", filed[-1])
        frames.attached(db, parts, state, owner.row, joins)
    return filed


def _file(db: Database, item: Identified, parts: Sequence[Kept], now: datetime) -> Filed:
    key = db.digest(item.natural_key, item.place)
    # By its name, too: where damage took meter or secret away, the key is not what it was.
    known = db.execute(
        "SELECT id, reading, state FROM readings"
        " WHERE (device_id = ? AND key = ?) OR public_id = ? OR id = ?",
        item.device,
        key,
        item.public_id,
        item.same_as,
    ).fetchone()
    if known is None:
        return Filed(_insert(db, item, key, now), "new")
    row, sealed, state = known
    said = None if sealed is None else thaw(db.open("readings", row, "reading", sealed))
    if item.same_as == row:
        item = _as_numbered_before(item, said)
    if said == item.reading or (said is None and (item.same_as or _all_known(db, row, parts))):
        db.note(to_us(now), "repeat", item.device, row)
        return Filed(row, "repeat")
    _amend(db, row, state, said, item, now)
    return Filed(row, "amended")


def _as_numbered_before(item: Identified, said: Reading | None) -> Identified:
    if said is None:
        return item
    return replace(item, reading=replace(item.reading, sequence=said.sequence))


def _all_known(db: Database, row: int, parts: Sequence[Kept]) -> bool:
    """Whether a reading whose text is purged came in these very octets: their digests stay.

    Where those are lost too, what comes is taken for a repeat.
    """
    known = {
        digest for (digest,) in db.execute("SELECT digest FROM frames WHERE reading_id = ?", row)
    }
    told = {db.digest(str(kept.frame.characteristic).encode(), kept.frame.octets) for kept in parts}
    return not known or told <= known


def _insert(db: Database, item: Identified, key: bytes, now: datetime) -> int:
    row = db.next_id("readings")
    db.execute(
        "INSERT INTO readings (id, device_id, session_id, key, frame_key, natural_key, place,"
        " segment_id, binding_id, public_id, reading, slot, sequence, taken_at, effective_at,"
        " issued_at, issued_known, state, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
        item.device,
        item.session,
        key,
        db.digest(item.natural_key),
        db.seal("readings", row, "natural_key", item.natural_key),
        item.place.decode("ascii"),
        item.segment,
        item.binding,
        item.public_id,
        db.seal("readings", row, "reading", freeze(item.reading)),
        item.reading.user,
        item.reading.sequence,
        naive_text(item.reading.taken_at),
        None if item.effective is None else to_us(item.effective),
        to_us(item.issued),
        int(item.issued_known),
        item.state,
        item.reason,
    )
    step = "stored" if item.state == "pending" else item.state
    db.note(to_us(now), step, item.device, row, item.reason or "")
    return row


def _amend(
    db: Database, row: int, state: str, said: Reading | None, item: Identified, now: datetime
) -> None:
    """A new version: due again under the same id. *said*: what it has said so far; None: purged."""
    sent = versions.was_sent(db, row)
    if sent and said is not None:
        versions.remember(db, row, said)
    elif not sent and "ignored" in (
        state,
        item.state,
    ):  # it is a measurement after all, or never was one
        _settle(db, row, item)
    if said is None or _dated_by(said) != _dated_by(item.reading):
        _date(db, row, item)
    db.execute(
        "UPDATE readings SET reading = ?, session_id = ?, issued_at = ?, issued_known = ?"
        " WHERE id = ?",
        db.seal("readings", row, "reading", freeze(item.reading)),
        item.session,
        to_us(item.issued),
        int(item.issued_known),
        row,
    )
    versions.anew(db, row, higher=sent)
    db.note(to_us(now), "amended", item.device, row)


# Flags that say something of the time, not of what was measured.
TIMING = ("time-fault", "time-offset-unknown")


def _dated_by(reading: Reading) -> tuple[object, ...]:
    return (reading.taken_at, *(flag for flag in TIMING if flag in reading.flags))


def _settle(db: Database, row: int, item: Identified) -> None:
    """Where it goes and whose it is, decided anew."""
    db.execute(
        "UPDATE readings SET state = ?, reason = ?, binding_id = ?, public_id = ? WHERE id = ?",
        item.state,
        item.reason,
        item.binding,
        item.public_id,
        row,
    )


def _date(db: Database, row: int, item: Identified) -> None:
    """When it was taken, decided anew: the person has set the clock that the meter shows."""
    db.execute(
        "UPDATE readings SET taken_at = ?, effective_at = ?, segment_id = ? WHERE id = ?",
        naive_text(item.reading.taken_at),
        None if item.effective is None else to_us(item.effective),
        item.segment,
        row,
    )
