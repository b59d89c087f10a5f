"""What gateways say of themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.store.database import Database
from backend.store.moments import moment, text
from backend.store.shapes import Place
from backend.store.streams import Streams

AHEAD = timedelta(minutes=5)  # of our clock, and still to be believed


@dataclass(frozen=True, slots=True)
class Word:
    """A status document, as far as a receiver needs it."""

    organisation: str
    gateway: str
    online: bool
    version: str
    at: datetime
    epoch: str | None = None
    confirmed_up_to: int | None = None  # the gateway holds no unconfirmed number up to this


def heard(db: Database, word: Word, now: datetime) -> None:
    """Keep it. What the gateway was confirmed and is not here is missing. Inside a transaction."""
    key = (word.organisation, word.gateway)
    known = db.execute("SELECT said_at FROM gateway WHERE organisation = ? AND name = ?", *key)
    if known and word.online and word.at < moment(known[0][0]) <= now + AHEAD:
        return  # an old one, by a detour
    db.execute(
        "INSERT INTO gateway VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (organisation, name)"
        " DO UPDATE SET online = excluded.online, version = excluded.version,"
        " said_at = excluded.said_at, heard_at = excluded.heard_at",
        *(*key, int(word.online), word.version, text(word.at), text(now)),
    )
    if word.epoch is not None and word.confirmed_up_to:
        place = Place(*key, word.epoch, word.confirmed_up_to)
        streams = Streams(db, [place], now)
        streams.sent_up_to(place)
        streams.write()


def notice(db: Database, gateway: str, what: str, now: datetime) -> None:
    """Something that a human should know of it, counted. Inside a transaction."""
    db.execute(
        "INSERT INTO notice VALUES (?, ?, ?, ?, 1) ON CONFLICT (gateway, what)"
        " DO UPDATE SET times = notice.times + 1, last_at = excluded.last_at",
        *(gateway, what, text(now), text(now)),
    )
