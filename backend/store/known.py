"""What is held already of the readings of a batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.store.database import Database, marks
from backend.store.shapes import Delivery


@dataclass(frozen=True, slots=True)
class Held:
    """A version of a reading, or a copy of one."""

    number: int
    version: int
    sha256: str
    contents: str
    outbox: tuple[str, str]  # gateway, epoch


class Known:
    """Looked up with two statements. Inside the transaction that writes them."""

    def __init__(self, db: Database, deliveries: Sequence[Delivery]) -> None:
        self._versions: defaultdict[str, list[Held]] = defaultdict(list)
        self._by_phd: defaultdict[str, list[Held]] = defaultdict(list)
        ids = [str(each.id) for each in deliveries]
        phd = [value for each in deliveries for value in each.contents.phd]
        if ids:
            for name, number, version, sha256, contents, *outbox in db.execute(
                "SELECT id, number, version, sha256, contents, gateway, epoch FROM reading"
                f" WHERE id IN {marks(ids)} ORDER BY number",
                *ids,
            ):
                held = Held(number, version, sha256, contents, (outbox[0], outbox[1]))
                self._versions[name].append(held)
        if phd:
            for value, number, version, sha256, contents, *outbox in db.execute(
                "SELECT p.value, r.number, r.version, r.sha256, r.contents, r.gateway, r.epoch"
                " FROM phd_identifier p JOIN reading r ON r.number = p.reading"
                f" WHERE p.value IN {marks(phd)} ORDER BY r.number",
                *phd,
            ):
                held = Held(number, version, sha256, contents, (outbox[0], outbox[1]))
                self._by_phd[value].append(held)

    def versions(self, reading: UUID) -> Sequence[Held]:
        """In the order of arrival."""
        return self._versions.get(str(reading), ())

    def by_phd_identifier(self, delivery: Delivery) -> Held | None:
        """The same measurement under another id. One outbox never calls two by one identifier."""
        for value in delivery.contents.phd:
            for held in self._by_phd.get(value, ()):
                same = held.contents == delivery.contents.digest
                if same and held.outbox != delivery.place.outbox:
                    return held
        return None
