"""From messages as they came to verdicts: judged, and on disk."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backend import heard
from backend.arrival import Arrival, judge
from backend.store import Database, Refusal, Store, Verdict, asks, dead_letters, gateways
from gateway.contract import ContractError, parse_topic

log = logging.getLogger("hjemgate.receiver")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    topic: str
    body: bytes
    properties: tuple[tuple[str, str], ...] = ()
    content_type: str | None = None


def take_in(
    store: Store, messages: Sequence[Heard], now: datetime
) -> list[tuple[Arrival, Verdict]]:
    """Return when all of them are on disk: what became of those that were readings, or should have
    been. May raise StoreError: then nothing is known of any of them.
    """
    arrivals: list[Arrival] = []
    for message in messages:
        if message.topic.endswith(("/up/status", "/up/reply")):
            _hear(store.database, message, now)
        else:
            arrivals.append(
                judge(message.topic, message.body, message.properties, message.content_type)
            )
    verdicts = store.keep([arrival.message for arrival in arrivals], now) if arrivals else []
    return list(zip(arrivals, verdicts, strict=True))


def _hear(db: Database, message: Heard, now: datetime) -> None:
    try:
        address = parse_topic(message.topic)
        if address.channel == "up/status":
            word = heard.status(address.topics, message.body)
            with db.writing():
                gateways.heard(db, word, now)
            return
        ask, answer = heard.reply(address.topics, message.body)
        if ask is None or not asks.answered(db, ask, address.topics.gateway, answer, now):
            raise ContractError("a reply to a command that was never sent from here")  # noqa: TRY301
    except ContractError as error:
        digest = hashlib.sha256(message.body).hexdigest()
        refusal = Refusal(message.topic, digest, str(error), message.body, message.properties)
        with db.writing():
            dead_letters.bury(db, refusal, now)
        log.warning("not understood, from %s: %s", message.topic, error)
    else:
        log.info("%s: command %s: %s", address.topics.gateway, ask, answer.status)
