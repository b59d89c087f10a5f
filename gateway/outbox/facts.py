"""What the rows say of our health, in one look."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.outbox.announcements import WAITING
from gateway.outbox.aside import overflowing
from gateway.outbox.database import Database, Row
from gateway.outbox.frames import waiting_for_clock
from gateway.outbox.moments import from_us, maybe
from gateway.outbox.quota import Lack, full

UNHEARD = 0x10  # PUBACK: no matching subscribers
ASKED_TWICE = 2  # published so often without a receipt: not the first wait any more
# The words of the indices: without them SQLite reads all that is kept for a device's life.
IN_INBOX = "state IN ('captured', 'parked', 'held')"
MOVING = "state IN ('pending', 'published')"


@dataclass(frozen=True, slots=True)
class Unreceipted:
    """The oldest reading that no receiver has confirmed."""

    seq: int
    since: datetime  # when it reached us


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One meter."""

    id: int
    address: str
    driver: str
    introduced: bool  # paired, or met for the first time where no bond is needed
    bond: str
    battery: int | None
    cursor: int | None
    added_at: datetime
    last_session: datetime | None
    last_outcome: str | None  # of that session, in words; may name the meter's address
    last_reading: datetime | None
    bound: bool = True  # it is somebody's, or ignored


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that health is computed from, as of one moment."""

    epoch: str
    bytes: int  # taken by rows; what was freed is used again and does not count
    captured: int  # frames not yet read, those that wait for our clock among them
    waiting_for_clock: int
    pending: int
    published: int
    received: int
    held_readings: int
    held_frames: int
    parked_readings: int
    parked_frames: int
    unheard: int  # pending: the broker took them, and nobody listened
    unanswered: int  # sent at least twice, never confirmed
    last_seq: int | None
    oldest: Unreceipted | None
    last_receipt: datetime | None
    last_puback: datetime | None = None
    overflowing: int = 0  # meters of which so many frames are parked that more are dropped
    devices: tuple[DeviceFacts, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    full: Lack | None = None  # why no meter is connected to
    salvaged_at: datetime | None = None  # a damaged file was set aside

    @property
    def held(self) -> int:
        return self.held_readings + self.held_frames

    @property
    def parked(self) -> int:
        return self.parked_readings + self.parked_frames


def started(db: Database) -> None:
    """Count a start of the program: one that dies and is started again cannot hide it."""
    with db.transaction(relieving=True):
        db.count("starts")


def facts(db: Database) -> Facts:
    frames = _by_state(db, "frames", IN_INBOX)
    moving = _by_state(db, "readings", MOVING)
    waiting = _by_state(db, "readings", "state IN ('held', 'parked')")
    oldest = min(filter(None, (_first(db, sql) for sql in _OLDEST)), default=None)
    return Facts(
        epoch=db.epoch,
        bytes=db.used_octets(),
        captured=frames.get("captured", 0),
        waiting_for_clock=waiting_for_clock(db),
        pending=moving.get("pending", 0),
        published=moving.get("published", 0),
        received=_count(db, "readings", "state = 'received'"),
        held_readings=waiting.get("held", 0),
        held_frames=frames.get("held", 0),
        parked_readings=waiting.get("parked", 0),
        parked_frames=frames.get("parked", 0),
        unheard=_count(db, "readings", f"{MOVING} AND state = 'pending' AND puback = {UNHEARD}"),
        unanswered=_count(db, "readings", f"{MOVING} AND publishes >= {ASKED_TWICE}"),
        last_seq=int(db.meta("next_seq")) - 1 or None,
        oldest=None if oldest is None else Unreceipted(oldest[0], from_us(oldest[1])),
        last_receipt=maybe(
            db.one("SELECT max(received_at) FROM readings WHERE state = 'received'")
        ),
        last_puback=maybe(_last_puback(db)),
        overflowing=overflowing(db),
        devices=tuple(_device(row) for row in db.execute(_DEVICES)),
        counters=dict(db.execute("SELECT name, n FROM counters ORDER BY name").fetchall()),
        full=full(db),
        salvaged_at=maybe(db.meta("salvaged_at")),
    )


_OLDEST = (
    f"SELECT seq, issued_at FROM readings WHERE {MOVING} AND +seq IS NOT NULL",
    f"SELECT seq, changed_at FROM announcements WHERE {WAITING}",
)


def _first(db: Database, sql: str) -> Row | None:
    # +: not by way of every seq ever given.
    found: Row | None = db.execute(f"{sql} ORDER BY +seq LIMIT 1").fetchone()
    return found


def _last_puback(db: Database) -> int | None:
    """Of what is not confirmed, and of what was confirmed last."""
    moving = db.one(f"SELECT max(published_at) FROM readings WHERE {MOVING}")
    confirmed = db.one(
        "SELECT published_at FROM readings WHERE state = 'received'"
        " ORDER BY received_at DESC LIMIT 1"
    )
    return max((each for each in (moving, confirmed) if each is not None), default=None)


_DEVICES = """
    SELECT id, address, driver, identity IS NOT NULL, bond, battery, cursor, added_at,
           (SELECT started_at FROM sessions s WHERE s.device_id = d.id
            ORDER BY s.id DESC LIMIT 1),
           (SELECT outcome FROM sessions s WHERE s.device_id = d.id
            AND ended_at IS NOT NULL ORDER BY s.id DESC LIMIT 1),
           (SELECT max(issued_at) FROM readings r WHERE r.device_id = d.id),
           EXISTS (SELECT 1 FROM bindings b WHERE b.device_id = d.id AND b.only IS NULL)
    FROM devices d ORDER BY id
"""


def _device(columns: Row) -> DeviceFacts:
    id_, address, driver, met, bond, battery, cursor, added_at, *rest = columns
    session, outcome, reading, bound = rest
    return DeviceFacts(
        id_,
        address,
        driver,
        bool(met),
        bond,
        battery,
        cursor,
        from_us(added_at),
        maybe(session),
        outcome,
        maybe(reading),
        bool(bound),
    )


def _by_state(db: Database, table: str, states: str) -> dict[str, int]:
    return dict(
        db.execute(f"SELECT state, count(*) FROM {table} WHERE {states} GROUP BY state").fetchall()
    )


def _count(db: Database, table: str, condition: str) -> int:
    return int(db.one(f"SELECT count(*) FROM {table} WHERE {condition}"))
