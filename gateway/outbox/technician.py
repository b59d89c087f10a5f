"""What a technician may decide about rows that wait for a human."""

from collections.abc import Callable
from datetime import datetime

from gateway.model import Patient
from gateway.outbox import bindings, devices
from gateway.outbox.attention import Kind
from gateway.outbox.bindings import Binding
from gateway.outbox.database import Database
from gateway.outbox.devices import Device
from gateway.outbox.moments import from_us, to_us
from gateway.outbox.places import occurrence

# The public id of a reading: of patient, meter, natural key and occurrence (gateway.identify).
Name = Callable[[Patient, Device, bytes, bytes], str]

DISCARDED = "discarded by a technician"


class Declined(Exception):
    """This cannot be done with that row; the text says why, and what can."""


def release(db: Database, kind: Kind, row: int, name: Name, now: datetime) -> None:
    """Let it go on: a parked row is tried again, a held reading goes to its slot's person.

    Raises Declined.
    """
    with db.transaction():
        state = _state(db, kind, row)
        if kind == "frame":
            db.execute(
                "UPDATE frames SET state = 'captured', reason = NULL, attempts = 0 WHERE id = ?",
                row,
            )
        elif state == "parked":
            _again(db, row, now)
        else:
            _assign(db, row, _binding_of(db, row), name)
        _note(db, "released", kind, row, now)


def bind(
    db: Database, row: int, patient: Patient, whole_slot: bool, name: Name, now: datetime
) -> None:
    """A held reading is *patient*'s; with *whole_slot* so is what its slot says from then on.

    Raises Declined.
    """
    with db.transaction():
        if _state(db, "reading", row) != "held":
            raise Declined(f"r{row} is parked, not held: release or discard it")
        device, slot, taken = _about(db, row)
        only = None if whole_slot else row
        if whole_slot and any(each.to_at is None for each in _bindings(db, device, slot)):
            raise Declined(
                f"{_slot_words(slot)} of this meter already belongs to somebody:"
                " release the reading to that person, or bind this reading alone"
            )
        binding = bindings.bind(db, device, slot, patient, min(taken, now), only)
        _assign(db, row, binding, name)
        _note(db, "assigned", "reading", row, now)


def discard(db: Database, kind: Kind, row: int, now: datetime) -> None:
    """Never to be sent; what it said is removed, that it was there is not. Raises Declined."""
    with db.transaction():
        _state(db, kind, row)
        _note(db, "discarded", kind, row, now)
        if kind == "frame":
            db.execute(
                "UPDATE frames SET state = 'ignored', reason = ?, octets = NULL WHERE id = ?",
                DISCARDED,
                row,
            )
            return
        db.execute("DELETE FROM bodies WHERE reading_id = ?", row)
        db.execute("UPDATE frames SET octets = NULL WHERE reading_id = ?", row)
        db.execute(
            "UPDATE readings SET state = 'ignored', reason = ?, reading = NULL, natural_key = NULL,"
            " former = NULL, due_at = NULL WHERE id = ?",
            DISCARDED,
            row,
        )


def _state(db: Database, kind: Kind, row: int) -> str:
    state = db.one(f"SELECT state FROM {_table(kind)} WHERE id = ?", row)
    if state not in ("held", "parked"):
        found = "there is no such row" if state is None else f"it is {state}"
        raise Declined(f"{kind[0]}{row} waits for nobody: {found}")
    return str(state)


def _table(kind: Kind) -> str:
    return "readings" if kind == "reading" else "frames"


def _note(db: Database, step: str, kind: Kind, row: int, now: datetime) -> None:
    device = db.one(f"SELECT device_id FROM {_table(kind)} WHERE id = ?", row)
    db.note(to_us(now), step, device, row if kind == "reading" else None)


def _again(db: Database, row: int, now: datetime) -> None:
    """Pending as if never tried; a Bundle that was rendered once is sent as it is."""
    db.execute(
        "UPDATE readings SET state = 'pending', reason = NULL, attempts = 0, publishes = 0,"
        " puback = NULL, due_at = CASE WHEN seq IS NULL THEN NULL ELSE ? END WHERE id = ?",
        to_us(now),
        row,
    )


def _about(db: Database, row: int) -> tuple[int, int | None, datetime]:
    """A reading's meter, slot, and when it was taken, or came if that is not known."""
    device, slot, taken = db.execute(
        "SELECT device_id, slot, coalesce(effective_at, issued_at) FROM readings WHERE id = ?", row
    ).fetchone()
    return device, slot, from_us(taken)


def _bindings(db: Database, device: int, slot: int | None) -> list[Binding]:
    return [each for each in bindings.bindings(db, device) if each.slot == slot]


def _binding_of(db: Database, row: int) -> int:
    """Whose slot a held reading is: as found when it came, else as bound since."""
    known = db.one("SELECT binding_id FROM readings WHERE id = ?", row)
    if known is not None:
        return int(known)
    device, slot, taken = _about(db, row)
    bound = _bindings(db, device, slot)
    if not bound:
        raise Declined(f"no person is bound to {_slot_words(slot)} of this meter: use bind")
    fitting = [b for b in bound if b.from_at <= taken and (b.to_at is None or taken < b.to_at)]
    return (fitting or bound)[-1].id


def _slot_words(slot: int | None) -> str:
    return "readings without a slot" if slot is None else f"slot {slot}"


def _assign(db: Database, row: int, binding: int, name: Name) -> None:
    """The person is known: so is the reading's name, and it goes on its way."""
    patient = bindings.patient_of(db, binding)
    if patient is None:
        raise Declined("its slot is ignored: bind this reading, or discard it")
    device_id, sealed, place = db.execute(
        "SELECT device_id, natural_key, place FROM readings WHERE id = ?", row
    ).fetchone()
    key = db.open("readings", row, "natural_key", sealed)
    nth = occurrence(db, device_id, key, place.encode("ascii"), before=row)
    public_id = name(patient, devices.by_id(db, device_id), key, nth)
    same = db.one("SELECT id FROM readings WHERE public_id = ? AND id <> ?", public_id, row)
    if same is not None:
        raise Declined(f"this reading of this patient is known already, as r{same}: discard r{row}")
    db.execute(
        "UPDATE readings SET state = 'pending', reason = NULL, attempts = 0, binding_id = ?,"
        " public_id = ? WHERE id = ?",
        binding,
        public_id,
        row,
    )
