"""The receiver's connection: aiomqtt, with acknowledgement after the fact."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Protocol, TypeVar

import aiomqtt
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.contract import Publication

log = logging.getLogger("hjemgate.receiver")

T = TypeVar("T")

SESSION_S = 7 * 86400  # the broker keeps readings for a receiver that is away, until they expire
# What waits for one of several that is away must not wait long: the others are there.
SHARED_SESSION_S = 60
UNACKNOWLEDGED = 200  # at most, from the broker: our Receive Maximum
# Some send more all the same (Mosquitto before 2.0.12, its issue 2301: one more for each that is
# acknowledged). What is beyond this is not kept.
MOST_IN_HAND = 1000
AT_ONCE = 100  # of our own messages, under way
ANSWER_S = 5.0
OCTETS = 1 << 18


class Overrun(aiomqtt.MqttError):
    """The broker sent more than we said we could take; what was taken has been acknowledged."""


class Place(Protocol):
    """Where the broker is, and who we are there."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def client_id(self) -> str: ...
    @property
    def share(self) -> str | None: ...


class Link(aiomqtt.Client):
    """One connection. Every call may raise aiomqtt.MqttError."""

    def __init__(self, place: Place, tls: ssl.SSLContext) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's gap
        properties.SessionExpiryInterval = SESSION_S if place.share is None else SHARED_SESSION_S
        properties.ReceiveMaximum = UNACKNOWLEDGED
        super().__init__(
            place.host,
            place.port,
            identifier=place.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=properties,
            keepalive=30,
            tls_context=tls,
            timeout=ANSWER_S,
        )
        self._client.manual_ack_set(True)
        self._in_hand = 0
        self._withheld: list[tuple[int, int]] | None = None  # None: no overrun
        self.pending_calls_threshold = AT_ONCE

    async def listen(self, *topics: str) -> None:
        """Subscribe at QoS 1."""
        options = SubscribeOptions(qos=1)
        codes = await self.subscribe([(topic, options) for topic in topics])
        for topic, code in zip(topics, codes, strict=True):
            if isinstance(code, ReasonCode) and code.is_failure:
                raise aiomqtt.MqttError(f"may not listen to {topic}: {code}")

    async def arrived(self, most: int) -> Sequence[aiomqtt.Message]:
        """Wait for a message; return it with what else is there, up to *most*."""
        found = [await anext(self.messages)]
        while len(found) < most and len(self.messages) > 0:
            found.append(await anext(self.messages))
        return found

    def acknowledge(self, mid: int, qos: int) -> None:
        """Tell the broker that it may forget that message.

        After an overrun only when all in hand are done with, because every acknowledgement makes
        the broker send more; then raises Overrun. Only another connection makes it count anew
        (MQTT 5.0, 3.3.4: whoever is sent too much disconnects), and it sends again what was not
        acknowledged, in order.
        """
        self._in_hand -= 1
        if self._withheld is None:
            self._client.ack(mid, qos)
            return
        self._withheld.append((mid, qos))
        if self._in_hand == 0:
            for each in self._withheld:
                self._client.ack(*each)
            raise Overrun(f"the broker sent more than {MOST_IN_HAND} without an acknowledgement")

    async def send(self, publication: Publication) -> None:
        """Return when the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's gap
        properties.PayloadFormatIndicator = 1
        properties.ContentType = publication.content_type
        if publication.expiry_s is not None:
            properties.MessageExpiryInterval = publication.expiry_s
        if publication.correlation is not None:
            properties.CorrelationData = publication.correlation
        await self.publish(publication.topic, publication.body, qos=1, properties=properties)

    @staticmethod
    def user_properties(message: aiomqtt.Message) -> Sequence[tuple[str, str]]:
        return getattr(message.properties, "UserProperty", ())

    @staticmethod
    def content_type(message: aiomqtt.Message) -> str | None:
        return getattr(message.properties, "ContentType", None)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        socket_ = self._client.socket() if self._withheld is not None else None
        rest = None if socket_ is None else socket.socket(fileno=os.dup(socket_.fileno()))
        with suppress(aiomqtt.MqttError):  # gone either way, and not to hide why we leave
            await super().__aexit__(exc_type, exc, tb)
        if rest is not None:
            await _read_away(rest)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  # aiomqtt's signature
        """As aiomqtt's, without the wait_for of Python 3.11: it can swallow a cancellation."""
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("no answer from the broker") from None

    def _on_message(self, client: Paho, userdata: object, message: MQTTMessage) -> None:
        if self._in_hand >= MOST_IN_HAND and self._withheld is None:
            self._withheld = []
        if self._withheld is None:
            self._in_hand += 1
            super()._on_message(client, userdata, message)

    def _on_publish(
        self,
        client: Paho,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason_code.is_failure:  # aiomqtt 2.5 would say nothing
            log.error("the broker did not take a message: %s", reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


async def _read_away(rest: socket.socket) -> None:
    """Until the broker has hung up. If we closed with its messages unread, the kernel would reset
    the connection, and our last acknowledgements would be lost on their way.
    """
    loop = asyncio.get_running_loop()
    with rest, suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            while await loop.sock_recv(rest, OCTETS):
                pass
