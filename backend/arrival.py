"""Is what arrived a reading of the contract? Pure; says why not in words for the gateway's side."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.examination import Examination, Found, examined, unforeseen
from backend.store import Delivery, Place, Refusal, Verdict
from gateway.contract import (
    ContractError,
    Properties,
    Receipt,
    Topics,
    parse_properties,
    parse_topic,
)

FHIR = "application/fhir+json"

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message, judged. `topics` and `properties` are there if an answer can be addressed."""

    message: Delivery | Refusal
    topics: Topics | None = None
    properties: Properties | None = None

    @property
    def sender(self) -> str:
        """Which gateway, as far as that can be said."""
        return "an unknown topic" if self.topics is None else self.topics.gateway

    def receipt(self, verdict: Verdict, by: str, at: datetime) -> Receipt | None:
        """What to answer, if it can be said of what."""
        if self.properties is None:
            return None
        return Receipt(
            id=self.properties.id,
            epoch=self.properties.epoch,
            sha256=self.message.sha256,
            by=by,
            status=verdict.status,
            at=at,
            reason=verdict.reason,
        )


@dataclass(frozen=True, slots=True)
class Sealed:
    """Of the contract, as far as its topic and its properties say; not looked into yet."""

    topic: str
    body: bytes
    pairs: tuple[tuple[str, str], ...]
    topics: Topics
    properties: Properties
    place: Place

    @property
    def examination(self) -> Examination:
        """What must be asked of its body."""
        properties = self.properties
        named = (properties.id, properties.version, self.topics.gateway, properties.type)
        return Examination(self.body, *named)

    def opened(self, found: Found) -> Arrival:
        """*found*: the answer to that."""
        ours, message = self.properties, self.body
        if isinstance(found, str):
            refusal = Refusal(self.topic, ours.sha256, found, message, self.pairs, self.place)
            return Arrival(refusal, self.topics, ours)
        delivery = Delivery(
            ours.id, ours.version, ours.sha256, message, self.place, ours.late, found
        )
        return Arrival(delivery, self.topics, ours)


def judge(topic: str, body: bytes, pairs: Pairs, content_type: str | None = FHIR) -> Arrival:
    """Never raises: what is not of the contract is a Refusal."""
    arrived = look_at(topic, body, pairs, content_type)
    return arrived.opened(examined(arrived.examination)) if isinstance(arrived, Sealed) else arrived


def look_at(
    topic: str, body: bytes, pairs: Pairs, content_type: str | None = FHIR
) -> Arrival | Sealed:
    """The same from the outside: what costs little."""
    pairs = tuple(pairs)
    sha256 = hashlib.sha256(body).hexdigest()
    topics = properties = place = None
    try:
        topics = parse_topic(topic).topics
        properties = _properties(pairs, topics)
        place = Place(topics.organisation, topics.gateway, properties.epoch, properties.seq)
        if properties.sha256 != sha256:
            raise ContractError("user property sha256: not the digest of the body")  # noqa: TRY301
        if content_type is None or content_type.partition(";")[0].strip().lower() != FHIR:
            raise ContractError(f"content type: not {FHIR}")  # noqa: TRY301
    except ContractError as error:
        return Arrival(Refusal(topic, sha256, str(error), body, pairs, place), topics, properties)
    except Exception as error:  # noqa: BLE001 -- as in `examined`
        words = unforeseen(error)
        return Arrival(Refusal(topic, sha256, words, body, pairs, place), topics, properties)
    return Sealed(topic, body, pairs, topics, properties, place)


def _properties(pairs: tuple[tuple[str, str], ...], topics: Topics) -> Properties:
    for ours in Properties.model_fields:
        if sum(name == ours for name, _ in pairs) > 1:
            raise ContractError(f"user property {ours}: given twice")
    properties = parse_properties(pairs)
    if properties.source != topics.source:
        raise ContractError("user property source: not the gateway of the topic")
    if not properties.epoch.isprintable():  # it is shown to people
        raise ContractError("user property epoch: control characters")
    return properties
