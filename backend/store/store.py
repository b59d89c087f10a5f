"""What a receiver holds, durable before anybody is told so.

A reading is known by (id, version); its digest decides whether a second delivery is a repeat. The
same measurement by another way (a replaced gateway, a second one in the home) is held as a copy:
its octets are kept and confirmed, and it is not handed on again.
"""

from collections.abc import Sequence
from datetime import datetime

from backend.store import dead_letters, streams
from backend.store.database import Database
from backend.store.moments import text
from backend.store.shapes import Delivery, Refusal, Verdict
from backend.store.streams import Stream
from gateway.contract import Topics

USED_TWICE = "two readings under one number: its outbox may have been restored from an old copy"
OLD_EPOCH = "a new reading in an epoch that had ended: an old outbox may be in use again"


class Store:
    """Write access. One thread at a time; a call is one transaction, and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def close(self) -> None:
        self.database.close()

    def keep(self, messages: Sequence[Delivery | Refusal], now: datetime) -> list[Verdict]:
        """Return when all is on disk: a verdict for each."""
        with self.database.writing():
            return [
                self._keep(message, now)
                if isinstance(message, Delivery)
                else self._bury(message, now)
                for message in messages
            ]

    def _keep(self, delivery: Delivery, now: datetime) -> Verdict:
        db = self.database
        before = streams.seen(db, delivery.place, now)
        known = db.execute(
            "SELECT number, version, sha256, contents, gateway, epoch FROM reading"
            " WHERE id = ? ORDER BY number",
            str(delivery.id),
        )
        for number, version, sha256, *_ in known:
            if (version, sha256) == (delivery.version, delivery.sha256):
                db.execute(
                    "UPDATE reading SET deliveries = deliveries + 1 WHERE number = ?", number
                )
                return Verdict("duplicate")
        first = next((row for row in known if row[1] == delivery.version), None)
        original = None
        if first is not None:
            place = delivery.place
            if (place.gateway, place.epoch) == (first[4], first[5]):
                return self._contradiction(delivery, "held already, with another digest", now)
            same = (row[0] for row in known if row[3] == delivery.contents.digest)
            original = next(same, None)
            if original is None:
                reason = "held already from another outbox, with other contents"
                return self._contradiction(delivery, reason, now)
        elif not known:
            original = self._by_phd_identifier(delivery)
        self._insert(delivery, original, before, now)
        self._notice_numbers(delivery, before, now)
        return Verdict("stored")

    def _by_phd_identifier(self, delivery: Delivery) -> int | None:
        """The same measurement under another id. One outbox never calls two by one identifier."""
        for value in delivery.contents.phd:
            found = self.database.execute(
                "SELECT r.number FROM phd_identifier p JOIN reading r ON r.number = p.reading"
                " WHERE p.value = ? AND r.contents = ? AND (r.gateway <> ? OR r.epoch <> ?)"
                " ORDER BY r.number LIMIT 1",
                *(value, delivery.contents.digest),
                *(delivery.place.gateway, delivery.place.epoch),
            )
            if found:
                return int(found[0][0])
        return None

    def _insert(
        self, delivery: Delivery, original: int | None, before: Stream, now: datetime
    ) -> None:
        db, place = self.database, delivery.place
        ((number,),) = db.execute(
            "INSERT INTO reading (id, version, sha256, body, contents, copy_of, organisation,"
            " gateway, epoch, seq, late, first_at, deliveries)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING number",
            *(str(delivery.id), delivery.version, delivery.sha256, delivery.body),
            *(delivery.contents.digest, original),
            *(place.organisation, place.gateway, place.epoch, place.seq),
            *(int(delivery.late), text(now)),
        )
        if original is not None:
            return
        for value in delivery.contents.phd:
            db.execute("INSERT INTO phd_identifier VALUES (?, ?)", value, number)
        db.execute(
            "INSERT INTO onward (reading, stream, seq, state, queued_at, due_at, attempts)"
            " VALUES (?, ?, ?, 'waiting', ?, ?, 0)",
            *(number, before.number, place.seq, text(now), text(now)),
        )

    def _notice_numbers(self, delivery: Delivery, before: Stream, now: datetime) -> None:
        place = delivery.place
        if place.seq <= before.highest and self.database.execute(
            "SELECT 1 FROM reading WHERE gateway = ? AND epoch = ? AND seq = ?"
            " AND (id <> ? OR version <> ?)",
            *(place.gateway, place.epoch, place.seq, str(delivery.id), delivery.version),
        ):
            self._notice(place.gateway, USED_TWICE, now)
        if self.database.execute(
            "SELECT 1 FROM stream WHERE gateway = ? AND number > ?", place.gateway, before.number
        ):
            self._notice(place.gateway, OLD_EPOCH, now)

    def _notice(self, gateway: str, what: str, now: datetime) -> None:
        self.database.execute(
            "INSERT INTO notice VALUES (?, ?, ?, ?, 1) ON CONFLICT (gateway, what)"
            " DO UPDATE SET times = notice.times + 1, last_at = excluded.last_at",
            *(gateway, what, text(now), text(now)),
        )

    def _contradiction(self, delivery: Delivery, reason: str, now: datetime) -> Verdict:
        topic = Topics(delivery.place.organisation, delivery.place.gateway).observation
        named = (("id", str(delivery.id)), ("version", str(delivery.version)))
        dead_letters.bury(
            self.database,
            Refusal(topic, delivery.sha256, reason, delivery.body, named, delivery.place),
            now,
        )
        return Verdict("rejected", reason)

    def _bury(self, refusal: Refusal, now: datetime) -> Verdict:
        if refusal.place is not None:
            streams.seen(self.database, refusal.place, now)
        dead_letters.bury(self.database, refusal, now)
        return Verdict("rejected", refusal.reason)
