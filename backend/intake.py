"""From messages as they came to verdicts: judged, and on disk."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from backend import heard
from backend.arrival import Arrival, Sealed, look_at
from backend.examination import Examination, Found
from backend.store import Database, Refusal, Store, Verdict, asks, dead_letters, gateways
from gateway.contract import ContractError, parse_topic

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
