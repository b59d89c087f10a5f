"""Is a row that was found in a damaged file what was once written? What is sealed can prove it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from gateway.outbox.database import Database
from gateway.outbox.rotation import SEALED
from gateway.outbox.vault import KeyRefused

Named = dict[str, object]

NOTHING_LEFT = ("frames", "bindings", "bodies", "announcements")  # of a row without what is sealed


class Sieve:
    """`broken`: readings whose text or key does not open any more."""

    def __init__(self, db: Database, new_secret: bool) -> None:
        """*new_secret*: the old one is lost, and digests are to be made anew."""
        self._db, self._new_secret = db, new_secret
        self.broken: set[int] = set()
        self.opened = 0  # sealed values that did
        self.foreign = 0  # sealed with a key that is not here

    def row(self, table: str, row: int, values: Named) -> Named | None:
        """The row as it is to be kept; None: not at all."""
        plain: dict[str, bytes] = {}
        for column in SEALED.get(table, ()):
            sealed = values.get(column)
            if not isinstance(sealed, bytes):
                continue
            try:
                plain[column] = self._db.open(table, row, column, sealed)
            except KeyRefused:
                self.foreign += not self._db.vault.knows(sealed)
                if table in (
                    "frames",
                    "bindings",
                    "bodies",
                    "announcements",
                ):  # nothing is left of it
                    return None
                values = values | {column: None}
                if table == "readings" and column != "former":
                    self.broken.add(row)
            else:
                self.opened += 1
        return self._judged(table, values, plain)

    def _judged(self, table: str, values: Named, plain: dict[str, bytes]) -> Named | None:
        try:
            for column, parse in _TEXTS.get(table, {}).items():
                if (text := values.get(column)) is not None:
                    parse(str(text))
        except ValueError:
            return None
        digests = self._digests(table, values, plain)
        if self._new_secret:
            return values | digests | ({"joins": None} if table == "frames" else {})
        return values if all(values[name] == digest for name, digest in digests.items()) else None

    def _digests(self, table: str, values: Named, plain: dict[str, bytes]) -> Named:
        digest = self._db.digest
        if table == "frames" and "octets" in plain:
            uuid = str(values["characteristic"])
            return {"digest": digest(uuid.encode(), plain["octets"])}
        if table == "readings" and "natural_key" in plain:
            key, place = plain["natural_key"], str(values["place"]).encode()
            return {"key": digest(key, place), "frame_key": digest(key)}
        return {}


_TEXTS: dict[str, dict[str, Callable[[str], object]]] = {
    "sessions": {"uuid": UUID},
    "segments": {
        "device_from": datetime.fromisoformat,
        "device_to": datetime.fromisoformat,
        "seen": datetime.fromisoformat,
    },
    "clock_events": {"device_clock": datetime.fromisoformat},
    "frames": {"characteristic": UUID},
    "readings": {"public_id": UUID},
}
