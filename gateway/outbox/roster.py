"""Meters on their way into the home: registered, introduced, given a person, paired anew."""

from dataclasses import dataclass
from datetime import datetime

from gateway.outbox.database import Database
from gateway.outbox.devices import Device, Known, find
from gateway.outbox.moments import to_us


@dataclass(frozen=True, slots=True)
class Entry:
    """What has to be known of a meter when it is heard. `bound`: it is somebody's, or ignored."""

    id: int
    driver: str
    introduced: bool
    bound: bool


def roster(db: Database) -> dict[str, Entry]:
    """By address."""
    rows = db.execute(
        "SELECT address, id, driver, identity IS NOT NULL,"
        " EXISTS (SELECT 1 FROM bindings b WHERE b.device_id = d.id AND b.only IS NULL)"
        " FROM devices d"
    )
    return {
        address: Entry(id_, driver, bool(met), bool(bound))
        for address, id_, driver, met, bound in rows
    }


def register(db: Database, address: str, driver: str, now: datetime) -> Device:
    """A meter of this home that belongs to nobody yet; one that is known stays as it is.

    Raises Known when the address is registered with another driver.
    """
    with db.transaction():
        found = find(db, address)
        if found is None:
            db.execute(
                "INSERT INTO devices (id, address, driver, added_at) VALUES (?, ?, ?, ?)",
                db.next_id("devices"),
                address,
                driver,
                to_us(now),
            )
            found = find(db, address)
    if found is None or found.driver != driver:
        known = found.driver if found else ""
        raise Known(
            f"{address} is already registered as {known}; forget it first (hjemgate forget)"
        )
    return found


def paired_anew(db: Database, device: int, identity: str, bond: str) -> None:
    """The same meter has a new bond. Raises Known when it is not the same meter."""
    with db.transaction():
        if db.one("SELECT identity FROM devices WHERE id = ?", device) != identity:
            raise Known(
                "another meter answers at this address than the one that was introduced; if it has"
                " replaced the old one, forget that first (hjemgate forget), then pair this one"
            )
        db.execute("UPDATE devices SET bond = ? WHERE id = ?", bond, device)


def moved(db: Database, device: int, address: str) -> None:
    """Its identity address is known now; it was registered by a resolvable one. Raises Known."""
    with db.transaction():
        if db.one("SELECT 1 FROM devices WHERE address = ? AND id <> ?", address, device):
            raise Known("this meter is registered already, by its lasting address")
        db.execute("UPDATE devices SET address = ? WHERE id = ?", address, device)
