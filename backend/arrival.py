"""Is what arrived a reading of the contract? Pure; says why not in words for the gateway's side."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.store import Delivery, Refusal, Verdict
from gateway.contract import (
    ContractError,
    Properties,
    Receipt,
    Topics,
    parse_properties,
    parse_topic,
)


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


def judge(topic: str, body: bytes, pairs: Iterable[tuple[str, str]]) -> Arrival:
    """Never raises: what is not of the contract is a Refusal."""
    sha256 = hashlib.sha256(body).hexdigest()
    topics = properties = None
    try:
        topics = parse_topic(topic).topics
        properties = parse_properties(pairs)
        _check(topics, properties, sha256, body)
    except ContractError as error:
        return Arrival(Refusal(topic, sha256, str(error)), topics, properties)
    delivery = Delivery(
        properties.id,
        properties.version,
        sha256,
        body,
        topics.gateway,
        properties.epoch,
        properties.seq,
        properties.late,
    )
    return Arrival(delivery, topics, properties)


def _check(topics: Topics, properties: Properties, sha256: str, body: bytes) -> None:
    if properties.source != topics.source:
        raise ContractError("user property source: not the gateway of the topic")
    if properties.sha256 != sha256:
        raise ContractError("user property sha256: not the digest of the body")
    try:
        bundle = json.loads(body)
    except (ValueError, RecursionError):
        raise ContractError("body: not JSON") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise ContractError("body: not a FHIR Bundle")
    if bundle.get("type") != "transaction" or not bundle.get("entry"):
        raise ContractError("body: not a transaction Bundle with entries")
