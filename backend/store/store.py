"""What a receiver holds, durable before anybody is told so.

A reading is known by (id, version); its digest decides whether a second delivery is a repeat. The
same measurement by another way (a replaced gateway, a second one in the home) is held as a copy:
its octets are kept and confirmed, and it is not handed on again.

A batch is looked up with a few statements and written with a few, however many readings it holds:
what others wait for in PostgreSQL is one transaction, and each statement is a round trip.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.store import dead_letters, gateways
from backend.store.database import Database, marks, rows_of
from backend.store.known import Held, Known
from backend.store.moments import AT_ONCE, text
from backend.store.onward import tell_again
from backend.store.shapes import Delivery, Refusal, Verdict
from backend.store.streams import Streams
from gateway.contract import Topics

USED_TWICE = "two readings under one number: its outbox may have been restored from an old copy"
OLD_EPOCH = "a new reading in an epoch that had ended: an old outbox may be in use again"


@dataclass(frozen=True, slots=True)
class _New:
    """To be written. *original*: the number of what it is a copy of."""

    delivery: Delivery
    original: int | None


class Store:
    """Write access. One thread at a time; a call is one transaction, and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def close(self) -> None:
        self.database.close()

    def keep(self, messages: Sequence[Delivery | Refusal], now: datetime) -> list[Verdict]:
        """Return when all is on disk: a verdict for each."""
        with self.database.writing():
            return [verdict for part in _parts(messages) for verdict in self._keep(part, now)]

    def _keep(self, messages: Sequence[Delivery | Refusal], now: datetime) -> list[Verdict]:
        """No reading among *messages* can be known again by another one of them."""
        deliveries = [each for each in messages if isinstance(each, Delivery)]
        known = Known(self.database, deliveries)
        places = [each.place for each in messages if each.place is not None]
        streams = Streams(self.database, places, now)
        repeats: list[int] = []
        new: list[_New] = []
        verdicts = []
        for message in messages:
            passed = message.place is not None and streams.seen(message.place)
            if isinstance(message, Refusal):
                dead_letters.bury(self.database, message, now)
                verdicts.append(Verdict("rejected", message.reason))
                continue
            found = _judge(message, known)
            match found:
                case Held():
                    repeats.append(found.number)
                    verdicts.append(Verdict("duplicate"))
                case str():
                    verdicts.append(self._contradiction(message, found, now))
                case _New():
                    self._notice_numbers(message, passed, streams, now)
                    new.append(found)
                    verdicts.append(Verdict("stored"))
        streams.write()
        self._count(repeats)
        self._insert(new, streams, now)
        return verdicts

    def _count(self, repeats: Sequence[int]) -> None:
        if repeats:
            self.database.execute(
                f"UPDATE reading SET deliveries = deliveries + 1 WHERE number IN {marks(repeats)}",
                *repeats,
            )

    def _insert(self, new: Sequence[_New], streams: Streams, now: datetime) -> None:
        if not new:
            return
        db, at = self.database, text(now)
        rows = [
            (
                *(str(each.id), each.version, each.sha256, each.body),
                *(each.contents.text, original),
                *(place.organisation, place.gateway, place.epoch, place.seq),
                *(int(each.late), at, 1),
            )
            for each, original in ((it.delivery, it.original) for it in new)
            for place in (each.place,)
        ]
        numbers: dict[str, int] = dict(
            db.execute(
                "INSERT INTO reading (id, version, sha256, body, contents, copy_of, organisation,"
                " gateway, epoch, seq, late, first_at, deliveries)"
                f" VALUES {rows_of(rows)} RETURNING id, number",
                *(value for row in rows for value in row),
            )
        )
        originals = [
            (it.delivery, numbers[str(it.delivery.id)]) for it in new if it.original is None
        ]
        tell_again(db, [it.original for it in new if it.original is not None])
        phd = [(value, number) for each, number in originals for value in each.contents.phd]
        if phd:
            db.execute(
                f"INSERT INTO phd_identifier VALUES {rows_of(phd)}",
                *(value for row in phd for value in row),
            )
        queued = [
            (number, streams.number(each.place), each.place.seq, "waiting", at, AT_ONCE, 0)
            for each, number in originals
        ]
        if queued:
            db.execute(
                "INSERT INTO onward (reading, stream, seq, state, queued_at, due_at, attempts)"
                f" VALUES {rows_of(queued)}",
                *(value for row in queued for value in row),
            )

    def _notice_numbers(
        self, delivery: Delivery, passed: bool, streams: Streams, now: datetime
    ) -> None:
        place = delivery.place
        if passed and self.database.execute(
            "SELECT 1 FROM reading WHERE gateway = ? AND epoch = ? AND seq = ?"
            " AND (id <> ? OR version <> ?)",
            *(place.gateway, place.epoch, place.seq, str(delivery.id), delivery.version),
        ):
            gateways.notice(self.database, place.gateway, USED_TWICE, now)
        if streams.has_ended(place):
            gateways.notice(self.database, place.gateway, OLD_EPOCH, now)

    def _contradiction(self, delivery: Delivery, reason: str, now: datetime) -> Verdict:
        topic = Topics(delivery.place.organisation, delivery.place.gateway).observation
        named = (("id", str(delivery.id)), ("version", str(delivery.version)))
        dead_letters.bury(
            self.database,
            Refusal(topic, delivery.sha256, reason, delivery.body, named, delivery.place),
            now,
        )
        return Verdict("rejected", reason)


def _parts(messages: Sequence[Delivery | Refusal]) -> Iterator[list[Delivery | Refusal]]:
    """Cut where a reading could be known again by one before it: that one must be there to find."""
    part: list[Delivery | Refusal] = []
    names: set[Hashable] = set()
    for message in messages:
        own: set[Hashable] = set()
        if isinstance(message, Delivery):
            place = message.place
            own = {message.id, (place.gateway, place.epoch, place.seq), *message.contents.phd}
        if not names.isdisjoint(own):
            yield part
            part, names = [], set()
        part.append(message)
        names |= own
    if part:
        yield part


def _judge(delivery: Delivery, known: Known) -> Held | _New | str:
    """What it repeats; or what is to be written; or why it contradicts what is held."""
    versions = known.versions(delivery)
    own = [each for each in versions if each.id == str(delivery.id)]
    for each in own:
        if (each.version, each.sha256) == (delivery.version, delivery.sha256):
            return each
    of_version = [each for each in versions if each.version == delivery.version]
    if any(each.outbox == delivery.place.outbox for each in of_version if each in own):
        return "held already, with another digest"
    same = (each for each in versions if each.tells_the_same(delivery.contents))
    if of_version or len(own) < len(versions):
        if (original := next(same, None)) is not None:
            return _New(delivery, original.original)
        if of_version:
            return "held already from another outbox, with other contents"
    if versions:
        return _New(delivery, None)
    by_identifier = known.by_phd_identifier(delivery)
    return _New(delivery, None if by_identifier is None else by_identifier.original)
