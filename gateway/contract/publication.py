"""Messages ready to be published: topic, body and properties."""

from dataclasses import dataclass

from gateway.contract.command import Reply
from gateway.contract.properties import DEVICE, OBSERVATION, Pairs, Properties
from gateway.contract.receipt import Receipts
from gateway.contract.status import Offline, Status
from gateway.contract.topics import Topics
from gateway.model import Message

FHIR = "application/fhir+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Publication:
    """One MQTT message. QoS is 1 and the payload is UTF-8, always."""

    topic: str
    body: bytes
    content_type: str
    properties: Pairs = ()
    expiry_s: int | None = None  # None: kept by the broker for as long as it likes
    retain: bool = False
    correlation: bytes | None = None


def observation(topics: Topics, message: Message, expiry_s: int) -> Publication:
    """The Bundle, byte for byte. *expiry_s*: no longer than until the next attempt."""
    properties = Properties(
        id=message.id,
        source=topics.source,
        type=DEVICE if message.about == "device" else OBSERVATION,
        time=message.taken_at,
        epoch=message.epoch,
        seq=message.seq,
        version=message.version,
        late=message.late,
        sha256=message.sha256,
    )
    return Publication(topics.observation, message.body, FHIR, properties.pairs(), expiry_s)


def status(topics: Topics, document: Status) -> Publication:
    body = document.model_dump_json().encode()
    return Publication(topics.status, body, JSON, retain=True)


def will(topics: Topics, document: Offline) -> Publication:
    """What the broker publishes when the gateway has been away for too long."""
    body = document.model_dump_json().encode()
    return Publication(topics.status, body, JSON, retain=True)


def reply(topics: Topics, document: Reply, correlation: bytes | None) -> Publication:
    body = document.model_dump_json().encode()
    return Publication(topics.reply, body, JSON, correlation=correlation)


def receipts(topics: Topics, document: Receipts) -> Publication:
    """What a receiver answers."""
    body = document.model_dump_json(exclude_none=True).encode()
    return Publication(topics.receipt, body, JSON)
