"""Whose a meter's readings are: (meter, user slot) -> patient, from, to."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from gateway.model import Patient
from gateway.outbox.database import Database
from gateway.outbox.moments import from_us, maybe, to_us


@dataclass(frozen=True, slots=True)
class Binding:
    """Readings of this slot belong to `patient` (None: the slot is ignored) in from..to."""

    id: int
    device: int
    slot: int | None
    patient: Patient | None
    from_at: datetime
    to_at: datetime | None


def bind(
    db: Database,
    device: int,
    slot: int | None,
    patient: Patient | None,
    from_at: datetime,
    only: int | None = None,
) -> int:
    """A new binding; inside a transaction. *only*: it holds for this reading and for no other."""
    binding = db.next_id("bindings")
    sealed = None
    if patient is not None:
        sealed = db.seal("bindings", binding, "patient", json.dumps(asdict(patient)).encode())
    db.execute(
        "INSERT INTO bindings (id, device_id, slot, patient, from_at, only)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        binding,
        device,
        slot,
        sealed,
        to_us(from_at),
        only,
    )
    return binding


def bindings(db: Database, device: int) -> list[Binding]:
    """Whose slots these are; not what a technician said of single readings."""
    rows = db.execute(
        "SELECT id, device_id, slot, patient, from_at, to_at FROM bindings WHERE device_id = ?"
        " AND only IS NULL ORDER BY id",
        device,
    )
    return [
        Binding(id_, device_, slot, _patient(db, id_, sealed), from_us(from_at), maybe(to_at))
        for id_, device_, slot, sealed, from_at, to_at in rows
    ]


def _patient(db: Database, binding: int, sealed: bytes | None) -> Patient | None:
    if sealed is None:
        return None
    return Patient(**json.loads(db.open("bindings", binding, "patient", sealed)))


def patient_of(db: Database, binding: int) -> Patient | None:
    sealed = db.one("SELECT patient FROM bindings WHERE id = ?", binding)
    return _patient(db, binding, sealed)
