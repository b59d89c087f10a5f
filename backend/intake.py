"""From messages as they came to verdicts: judged, and on disk."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backend import heard
from backend.arrival import Arrival, Sealed, look_at
from backend.examination import Examination, Found, unforeseen
from backend.store import (
    Database,
    Place,
    Refusal,
    Store,
    StoreError,
    Verdict,
    asks,
    dead_letters,
    gateways,
)
from gateway.contract import ContractError, Topics, parse_topic

log = logging.getLogger("hjemgate.receiver")

OTHERS = ("/up/status", "/up/reply")

Check = Callable[[Sequence[Examination]], Awaitable[Sequence[Found]]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    topic: str
    body: bytes
    properties: tuple[tuple[str, str], ...] = ()
    content_type: str | None = None

    def looked_at(self) -> Arrival | Sealed:
        return look_at(self.topic, self.body, self.properties, self.content_type)


async def judged(messages: Sequence[Heard], check: Check) -> list[Arrival | Heard]:
    """What is a reading, or should have been, is judged; the rest is as it came."""
    found: list[Arrival | Sealed | Heard] = [
        message if message.topic.endswith(OTHERS) else message.looked_at() for message in messages
    ]
    sealed = [each for each in found if isinstance(each, Sealed)]
    answers = iter(await check([each.examination for each in sealed]))
    return [each.opened(next(answers)) if isinstance(each, Sealed) else each for each in found]


def take_in(
    store: Store, messages: Sequence[Arrival | Heard], now: datetime
) -> list[tuple[Arrival, Verdict]]:
    """Return when all of them are on disk: what became of those that were readings, or should have
    been. May raise StoreError: then nothing is known of any of them.
    """
    arrivals = []
    for message in messages:
        if isinstance(message, Arrival):
            arrivals.append(message)
        else:
            _hear(store.database, message, now)
    return list(zip(arrivals, _kept(store, arrivals, now), strict=True)) if arrivals else []


def _kept(store: Store, arrivals: Sequence[Arrival], now: datetime) -> list[Verdict]:
    """All at once; if that fails as nobody foresaw, one by one, without those that it is due to."""
    try:
        return store.keep([arrival.message for arrival in arrivals], now)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 -- else one message would stop all that come after it
        if len(arrivals) > 1:
            return [verdict for each in arrivals for verdict in _kept(store, [each], now)]
        (arrival,) = arrivals
        return [_given_up(store.database, arrival, unforeseen(error), now)]


def _given_up(db: Database, arrival: Arrival, reason: str, now: datetime) -> Verdict:
    message = arrival.message
    topic = message.topic if isinstance(message, Refusal) else _topic(message.place)
    _bury(db, Refusal(topic, message.sha256, reason, message.body), now)
    return Verdict("rejected", reason)


def _topic(place: Place) -> str:
    return Topics(place.organisation, place.gateway).observation


def _bury(db: Database, refusal: Refusal, now: datetime) -> None:
    """Whatever it is, at least its octets."""
    topic = "".join(char if char.isprintable() else "?" for char in refusal.topic)
    with db.writing():
        dead_letters.bury(db, replace(refusal, topic=topic), now)


def _hear(db: Database, message: Heard, now: datetime) -> None:
    try:
        words = _heard(db, message, now)
    except StoreError:
        raise
    except ContractError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 -- as above
        reason = unforeseen(error)
    else:
        if words is not None:
            log.info("%s", words)
        return
    digest = hashlib.sha256(message.body).hexdigest()
    _bury(db, Refusal(message.topic, digest, reason, message.body, message.properties), now)
    log.warning("not understood, from %r: %s", message.topic, reason)


def _heard(db: Database, message: Heard, now: datetime) -> str | None:
    """What to say of it. Raises ContractError."""
    address = parse_topic(message.topic)
    if address.channel == "up/status":
        word = heard.status(address.topics, message.body)
        with db.writing():
            gateways.heard(db, word, now)
        return None
    ask, answer = heard.reply(address.topics, message.body)
    if ask is None or not asks.answered(db, ask, address.topics.gateway, answer, now):
        raise ContractError("a reply to a command that was never sent from here")
    return f"{address.topics.gateway}: command {ask}: {answer.status}"
