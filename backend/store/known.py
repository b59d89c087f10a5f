"""What is held already of the readings of a batch."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.bundle import Contents
from backend.store.database import Database, marks
from backend.store.shapes import Delivery

ALIKE_S = 300  # between the times of one measurement by two gateways, each by its own clock

_COLUMNS = (
    "r.number, r.id, r.version, r.sha256, r.contents, r.organisation, r.gateway, r.epoch, r.copy_of"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A version of a reading, or a copy of one."""

    number: int
    id: str
    version: int
    sha256: str
    contents: Contents
    organisation: str
    outbox: tuple[str, str]  # gateway, epoch
    copy_of: int | None

    @property
    def original(self) -> int:
        """The number of what counts."""
        return self.number if self.copy_of is None else self.copy_of

    def tells_the_same(self, contents: Contents) -> bool:
        """As far as both say when it was measured, at the same time as well."""
        times = self.contents.at, contents.at
        return self.contents.digest == contents.digest and (None in times or _are_near(*times))


class Known:
    """Looked up with three statements at most. Inside the transaction that writes them.

    What another organisation holds is not ours to know: its readings go to other people.
    """

    def __init__(self, db: Database, deliveries: Sequence[Delivery]) -> None:
        self._versions: defaultdict[str, list[Held]] = defaultdict(list)
        self._by_phd: defaultdict[str, list[Held]] = defaultdict(list)
        self._also: dict[int, list[Held]] = {}  # versions of an original, by its number
        ids = [str(each.id) for each in deliveries]
        phd = [value for each in deliveries for value in each.contents.phd]
        if ids:
            for held in _read(db, f"reading r WHERE r.id IN {marks(ids)}", ids):
                self._versions[held.id].append(held)
        if phd:
            joined = "phd_identifier p JOIN reading r ON r.number = p.reading"
            for value, *row in db.execute(
                f"SELECT p.value, {_COLUMNS} FROM {joined}"
                f" WHERE p.value IN {marks(phd)} ORDER BY r.number",
                *phd,
            ):
                self._by_phd[value].append(_held(row))
        self._read_originals(db)

    def _read_originals(self, db: Database) -> None:
        wanted = {
            held.copy_of
            for versions in self._versions.values()
            for held in versions
            if held.copy_of is not None and _are_copies(versions)
        }
        if not wanted:
            return
        joined = "reading o JOIN reading r ON r.id = o.id AND r.organisation = o.organisation"
        for number, *row in db.execute(
            f"SELECT o.number, {_COLUMNS} FROM {joined}"
            f" WHERE o.number IN {marks(wanted)} ORDER BY r.number",
            *wanted,
        ):
            self._also.setdefault(number, []).append(_held(row))

    def versions(self, delivery: Delivery) -> Sequence[Held]:
        """In the order of arrival. If all are copies, with those of what they are copies of: the
        same measurement by another name.
        """
        own = [each for each in self._versions.get(str(delivery.id), ()) if _are_of(each, delivery)]
        if not _are_copies(own):
            return own
        others = {
            other.number: other for each in own for other in self._also.get(each.original, ())
        }
        return [
            *own,
            *(others[number] for number in sorted(others.keys() - {e.number for e in own})),
        ]

    def by_phd_identifier(self, delivery: Delivery) -> Held | None:
        """The same measurement under another id. One outbox never calls two by one identifier; but
        a meter's clock may say one thing twice, so the time must be known, and agree.
        """
        contents = delivery.contents
        for value in contents.phd:
            for held in self._by_phd.get(value, ()):
                same = held.tells_the_same(contents) and None not in (contents.at, held.contents.at)
                if same and _are_of(held, delivery) and held.outbox != delivery.place.outbox:
                    return held
        return None


def _read(db: Database, where: str, values: Sequence[object]) -> Iterator[Held]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM {where} ORDER BY r.number", *values)
    return map(_held, rows)


def _held(row: Sequence[Any]) -> Held:
    number, name, version, sha256, contents, organisation, gateway, epoch, copy_of = row
    told = Contents.of(contents)
    return Held(number, name, version, sha256, told, organisation, (gateway, epoch), copy_of)


def _are_of(held: Held, delivery: Delivery) -> bool:
    """Of one organisation; version 0.1 of the store did not know which."""
    return held.organisation in {delivery.place.organisation, ""}


def _are_copies(versions: Sequence[Held]) -> bool:
    return bool(versions) and all(each.copy_of is not None for each in versions)


def _are_near(*times: int | None) -> bool:
    first, second = times
    return first is not None and second is not None and abs(first - second) <= ALIKE_S
