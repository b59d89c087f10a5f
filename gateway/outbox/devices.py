"""Meters of this home."""

from dataclasses import dataclass
from datetime import datetime

from drivers.api import DeviceInfo
from drivers.device_information import renewed
from gateway.model import Patient
from gateway.outbox import bindings
from gateway.outbox.database import Database, Row
from gateway.outbox.device_info import freeze, thaw
from gateway.outbox.moments import from_us, maybe, to_us


@dataclass(frozen=True, slots=True)
class Device:
    """A meter of this home. `identity` is frozen at first contact, `info` is read anew now and
    then; None before.
    """

    id: int
    address: str
    driver: str
    identity: str | None
    info: DeviceInfo | None
    bond: str
    cursor: int | None
    battery: int | None
    added_at: datetime
    introduced: int | None  # the session of first contact
    mark: bytes | None = None  # the record that the cursor stands on
    info_read_at: datetime | None = None  # by a clock of ours that was trusted; None: by none


FORGOTTEN = "this meter was forgotten meanwhile"


class Known(Exception):
    """This cannot be done with a meter as it is; the text says why."""


_COLUMNS = (
    "id, address, driver, identity, info, bond, cursor, battery, added_at, introduced, mark,"
    " info_read_at"
)


def all_devices(db: Database) -> list[Device]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM devices ORDER BY id").fetchall()
    return [_device(db, row) for row in rows]


def find(db: Database, address: str) -> Device | None:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM devices WHERE address = ?",
        address.upper(),
    ).fetchone()
    return _device(db, row) if row else None


def by_id(db: Database, device: int) -> Device:
    """A meter that ought to exist. Raises Known if it was forgotten."""
    found = find_by_id(db, device)
    if found is None:
        raise Known(FORGOTTEN)
    return found


def still_there(db: Database, device: int) -> None:
    """Raises Known if the meter was forgotten: before rows are written, inside a transaction."""
    if db.one("SELECT 1 FROM devices WHERE id = ?", device) is None:
        raise Known(FORGOTTEN)


def find_by_id(db: Database, device: int) -> Device | None:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM devices WHERE id = ?",
        device,
    ).fetchone()
    return _device(db, row) if row else None


def _device(db: Database, row: Row) -> Device:
    id_, address, driver, identity, info, bond, cursor, battery, added_at, introduced, *rest = row
    mark, info_read_at = rest
    return Device(
        id_,
        address,
        driver,
        identity,
        None if info is None else thaw(db.open("devices", id_, "info", info)),
        bond,
        cursor,
        battery,
        from_us(added_at),
        introduced,
        None if mark is None else db.open("devices", id_, "mark", mark),
        maybe(info_read_at),
    )


def add(
    db: Database,
    address: str,
    driver: str,
    patient: Patient | None,
    slot: int | None,
    from_at: datetime,
    now: datetime,
) -> int:
    """Register a meter, or one more slot of it, for *patient* (None: ignore that slot).

    Raises Known when the address is registered with another driver or the slot is taken.
    """
    with db.transaction():
        row = db.execute("SELECT id, driver FROM devices WHERE address = ?", address).fetchone()
        if row is None:
            device = db.next_id("devices")
            db.execute(
                "INSERT INTO devices (id, address, driver, added_at) VALUES (?, ?, ?, ?)",
                device,
                address,
                driver,
                to_us(now),
            )
        else:
            device, known_driver = row
            if known_driver != driver:
                raise Known(
                    f"{address} is already registered as {known_driver};"
                    " forget it first (hjemgate devices forget)"
                )
        if db.one(
            "SELECT 1 FROM bindings WHERE device_id = ? AND slot IS ? AND to_at IS NULL",
            device,
            slot,
        ):
            where = "without a slot" if slot is None else f"slot {slot}"
            raise Known(f"{address} {where} already belongs to somebody; forget it first")
        bindings.bind(db, device, slot, patient, from_at)
        db.note(to_us(now), "bound", device, None, "" if slot is None else f"slot {slot}")
    return int(device)


def introduced(
    db: Database,
    device: int,
    session: int,
    identity: str,
    info: DeviceInfo,
    bond: str,
    read_at: datetime | None = None,
) -> None:
    """Freeze who the meter is. Raises Known when another meter already has this identity.

    *read_at*: by a clock of ours that was trusted.
    """
    with db.transaction():
        if db.one("SELECT 1 FROM devices WHERE identity = ? AND id <> ?", identity, device):
            raise Known(f"another registered meter already has the identity of device {device}")
        db.execute(
            "UPDATE devices SET identity = ?, info = ?, bond = ?, introduced = ?, info_read_at = ?"
            " WHERE id = ?",
            identity,
            db.seal("devices", device, "info", freeze(info)),
            bond,
            session,
            None if read_at is None else to_us(read_at),
            device,
        )


def told_anew(db: Database, device: int, told: DeviceInfo, read_at: datetime) -> bool:
    """A meter that is known says this of itself now; whether that changes anything.

    Raises Known if it was forgotten.
    """
    with db.transaction():
        known = by_id(db, device).info or DeviceInfo()
        info = renewed(known, told)
        if info != known:
            sealed = db.seal("devices", device, "info", freeze(info))
            db.execute("UPDATE devices SET info = ? WHERE id = ?", sealed, device)
        db.execute("UPDATE devices SET info_read_at = ? WHERE id = ?", to_us(read_at), device)
    return info != known


def set_battery(db: Database, device: int, percent: int) -> None:
    if db.one("SELECT battery FROM devices WHERE id = ?", device) == percent:
        return
    with db.transaction():
        db.execute("UPDATE devices SET battery = ? WHERE id = ?", percent, device)


def advance(db: Database, device: int, sequence: int | None, mark: bytes | None) -> None:
    """Every record up to *sequence* is on disk; *mark* says which one that is.

    None: the meter is to be read in full.
    """
    sealed = None if mark is None else db.seal("devices", device, "mark", mark)
    with db.transaction():
        db.execute("UPDATE devices SET cursor = ?, mark = ? WHERE id = ?", sequence, sealed, device)


def unsent(db: Database, device: int) -> int:
    """Readings and frames of a meter that nobody else holds yet."""
    frames = db.one(
        "SELECT count(*) FROM frames WHERE device_id = ?"
        " AND state IN ('captured', 'parked', 'held')",
        device,
    )
    readings = db.one(
        "SELECT count(*) FROM readings WHERE device_id = ?"
        " AND state IN ('pending', 'published', 'held', 'parked')",
        device,
    )
    return int(frames) + int(readings)


def forget(db: Database, device: int, now: datetime) -> None:
    """Remove a meter and every row of the person who used it (a kit moves on).

    Raises Known while it is connected: what it is sending would have nowhere to go.
    """
    with db.transaction():
        if db.one("SELECT 1 FROM sessions WHERE device_id = ? AND ended_at IS NULL", device):
            raise Known("this meter is connected right now; try again in a minute")
        db.execute(
            "DELETE FROM journey WHERE device_id = ?"
            " OR reading_id IN (SELECT id FROM readings WHERE device_id = ?)",
            device,
            device,
        )
        db.execute("DELETE FROM devices WHERE id = ?", device)
        db.note(to_us(now), "forgotten", None, None)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # nothing of the person stays behind
