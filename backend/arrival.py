"""Is what arrived a reading of the contract? Pure; says why not in words for the gateway's side."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.bundle import Contents, examine
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


def judge(topic: str, body: bytes, pairs: Pairs, content_type: str | None = FHIR) -> Arrival:
    """Never raises: what is not of the contract is a Refusal."""
    pairs = tuple(pairs)
    sha256 = hashlib.sha256(body).hexdigest()
    topics = properties = place = None
    try:
        topics = parse_topic(topic).topics
        properties = _properties(pairs, topics)
        place = Place(topics.organisation, topics.gateway, properties.epoch, properties.seq)
        contents = _contents(topics, properties, sha256, body, content_type)
    except ContractError as error:
        return Arrival(Refusal(topic, sha256, str(error), body, pairs, place), topics, properties)
    delivery = Delivery(
        properties.id, properties.version, sha256, body, place, properties.late, contents
    )
    return Arrival(delivery, topics, properties)


def _properties(pairs: tuple[tuple[str, str], ...], topics: Topics) -> Properties:
    for ours in Properties.model_fields:
        if sum(name == ours for name, _ in pairs) > 1:
            raise ContractError(f"user property {ours}: given twice")
    properties = parse_properties(pairs)
    if properties.source != topics.source:
        raise ContractError("user property source: not the gateway of the topic")
    return properties


def _contents(
    topics: Topics, properties: Properties, sha256: str, body: bytes, content_type: str | None
) -> Contents:
    if properties.sha256 != sha256:
        raise ContractError("user property sha256: not the digest of the body")
    if content_type is None or content_type.partition(";")[0].strip().lower() != FHIR:
        raise ContractError(f"content type: not {FHIR}")
    return examine(body, properties.id, properties.version, topics.gateway)
