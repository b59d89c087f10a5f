"""Which reading is this, of those that are known? What tells a repeat from a second measurement."""

from datetime import datetime, timedelta

from drivers.api import Reading
from gateway.outbox.database import Database
from gateway.outbox.frozen import thaw
from gateway.outbox.moments import from_us, naive_text

# Between two measurements of the same clock: its drift in a month between two sessions.
MEASURED_ANEW = timedelta(minutes=10)


def occurrence(
    db: Database, device: int, natural_key: bytes, place: bytes, before: int | None = None
) -> bytes:
    """What tells this reading from others of this meter with the same natural key.

    The first of them has nothing, so that a replaced gateway gives it the same name; a moment of
    arrival always counts, since another gateway's first is not ours. *before*: this reading's own
    row, if it has one already.
    """
    if place.startswith(b"arrival"):
        return place
    earlier = db.one(
        "SELECT count(*) FROM readings WHERE device_id = ? AND frame_key = ? AND key <> ?"
        " AND id < coalesce(?, id + 1)",
        device,
        db.digest(natural_key),
        db.digest(natural_key, place),
        before,
    )
    return b"" if not earlier else b"occurrence %d" % earlier


def place_of(
    db: Database, device: int, natural_key: bytes, place: bytes, effective: datetime | None
) -> bytes:
    """Where a reading has its place: *place*, unless it is known from a segment that was lost.

    Damage may take the segments of a clock away. They are measured anew, and have other numbers; a
    reading with the same octets and the same time is the one that was known.
    """
    lost = db.execute(
        "SELECT place, effective_at FROM readings WHERE device_id = ? AND frame_key = ?"
        " AND segment_id IS NULL AND place LIKE 'segment %' ORDER BY id",
        device,
        db.digest(natural_key),
    )
    for known, at in lost:
        if effective is None or at is None or abs(effective - from_us(at)) <= MEASURED_ANEW:
            return str(known).encode("ascii")
    return place


def known_place(db: Database, device: int, natural_key: bytes, place: bytes) -> bytes:
    """Where a reading has its place whose stamp lies on the segment of a clock that was set right:
    *place*, unless it is known from an earlier segment.

    A clock that was set back shows some hours twice. A meter that tells its memory again is then
    likelier than a second measurement with the same octets in the same second.
    """
    known = db.one(
        "SELECT place FROM readings WHERE device_id = ? AND frame_key = ?"
        " AND place LIKE 'segment %' ORDER BY id LIMIT 1",
        device,
        db.digest(natural_key),
    )
    return place if known is None else str(known).encode("ascii")


def second_place(
    db: Database, device: int, natural_key: bytes, place: bytes, effective: datetime
) -> bytes:
    """Where a reading has its place that has just been taken: *place*, unless the same octets are
    known there from another moment. In the hour that comes twice a clock shows the same again.
    """
    at = db.one(
        "SELECT effective_at FROM readings WHERE device_id = ? AND key = ?",
        device,
        db.digest(natural_key, place),
    )
    if at is None or abs(effective - from_us(at)) <= MEASURED_ANEW:
        return place
    return place + b" again"


def elsewhere(db: Database, device: int, reading: Reading) -> list[tuple[int, int]]:
    """Rows, and their numbers, that bear the stamp of *reading* and its values, as far as they are
    not purged, under another number.
    """
    if reading.taken_at is None or reading.sequence is None:
        return []
    rows = db.execute(
        "SELECT id, sequence, reading FROM readings WHERE device_id = ? AND taken_at = ?"
        " AND sequence <> ? ORDER BY id",
        device,
        naive_text(reading.taken_at),
        reading.sequence,
    )
    return [
        (row, sequence)
        for row, sequence, sealed in rows
        if sealed is None
        or thaw(db.open("readings", row, "reading", sealed)).values == reading.values
    ]
