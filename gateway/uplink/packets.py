"""MQTT 5 properties: what we ask of the broker, what it allows, what a message carries."""

from dataclasses import dataclass
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.contract import Publication

SESSION_S = 7 * 86400  # the broker keeps what comes down for a week
WILL_DELAY_S = 120
INBOUND_WINDOW = 20  # unacknowledged messages from the broker, at most
INBOUND_PACKET = 131072  # octets; a full list of receipts is 40 kB
WITH_WILL: Final = "Disconnect with will message"  # paho's name of reason code 0x04

_NO_LIMIT = 268_435_460  # the longest packet that MQTT can express


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker allows, from its CONNACK."""

    window: int = 1
    packet: int = _NO_LIMIT
    retain: bool = True
    qos: int = 2


def limits(properties: Properties | None, window: int) -> Limits:
    """*window*: our own limit on publishes outstanding."""
    return Limits(
        window=min(window, getattr(properties, "ReceiveMaximum", 65535)),
        packet=getattr(properties, "MaximumPacketSize", _NO_LIMIT),
        retain=bool(getattr(properties, "RetainAvailable", 1)),
        qos=getattr(properties, "MaximumQoS", 2),
    )


def connect_properties() -> Properties:
    made = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's gap
    made.SessionExpiryInterval = SESSION_S
    made.ReceiveMaximum = INBOUND_WINDOW
    made.MaximumPacketSize = INBOUND_PACKET
    return made


def will(publication: Publication) -> aiomqtt.Will:
    properties = _message(PacketTypes.WILLMESSAGE, publication)
    properties.WillDelayInterval = WILL_DELAY_S
    return aiomqtt.Will(publication.topic, publication.body, 1, publication.retain, properties)


def publish_properties(publication: Publication) -> Properties:
    return _message(PacketTypes.PUBLISH, publication)


def _message(packet: int, publication: Publication) -> Properties:
    made = Properties(packet)  # type: ignore[no-untyped-call]  # paho's gap
    made.PayloadFormatIndicator = 1  # UTF-8
    made.ContentType = publication.content_type
    if publication.expiry_s is not None:
        made.MessageExpiryInterval = publication.expiry_s
    if publication.correlation is not None:
        made.CorrelationData = publication.correlation
    if publication.properties:
        made.UserProperty = list(publication.properties)
    return made


def publish_size(publication: Publication, properties: Properties) -> int:
    """Octets of the whole PUBLISH packet (MQTT 5.0, 3.3)."""
    packet_id = 2
    topic = 2 + len(publication.topic.encode())
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]  # paho's gap
    remaining = topic + packet_id + len(packed) + len(publication.body)
    length = max(1, -(-remaining.bit_length() // 7))  # a variable byte integer
    return 1 + length + remaining


def subscribe_options() -> SubscribeOptions:
    """At least once; a message published as retained is to be seen as such."""
    return SubscribeOptions(qos=1, retainAsPublished=True)
