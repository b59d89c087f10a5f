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
from paho.mqtt.enums import MQTTErrorCode
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
ANSWER_S = 5.0
PATIENCE_S = 60.0  # for an answer that stands behind whatever the broker has sent before it
IDS = 65_535  # of messages under way
WINDOW = 20  # of our own that are not answered: brokers allow that many, and paho no more
OCTETS = 1 << 18


class NotTaken(Exception):
    """The broker refused one message; the text says with which code. The connection stands."""


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
        self._client.max_inflight_messages_set(IDS)  # we count them ourselves
        self._window = asyncio.Semaphore(WINDOW)
        self._in_hand = 0
        self._overrun = False
        self._under_way: dict[int, asyncio.Future[ReasonCode | None]] = {}
        self._dropped = 0  # of QoS 0

    async def listen(self, *topics: str) -> None:
        """Subscribe at QoS 1. What waits may come before the answer, however much it is."""
        options = SubscribeOptions(qos=1)
        codes = await self.subscribe([(topic, options) for topic in topics], timeout=PATIENCE_S)
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
        """Tell the broker that it may forget that message. Raises Overrun after the last one."""
        self._client.ack(mid, qos)
        self._in_hand -= 1
        if self._overrun and self._in_hand == 0:
            raise Overrun(f"the broker sent more than {MOST_IN_HAND} without an acknowledgement")

    async def send(self, publication: Publication) -> None:
        """Return when the broker has it; after an overrun, when it is on its way. Raises NotTaken
        if it does not want it.

        Not by aiomqtt 2.5's `publish`, which does not tell the one from the other.
        """
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's gap
        properties.PayloadFormatIndicator = 1
        properties.ContentType = publication.content_type
        if publication.expiry_s is not None:
            properties.MessageExpiryInterval = publication.expiry_s
        if publication.correlation is not None:
            properties.CorrelationData = publication.correlation
        async with self._window:
            info = self._client.publish(
                publication.topic, publication.body, qos=1, properties=properties
            )
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise aiomqtt.MqttCodeError(info.rc, "a message could not be sent")
            if self._overrun:
                return
            answer = self._under_way[info.mid] = asyncio.get_running_loop().create_future()
            try:
                code = await self._wait_for(answer, PATIENCE_S)
            finally:
                del self._under_way[info.mid]
        if code is not None and code.is_failure:
            raise NotTaken(str(code))

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
        socket_ = self._client.socket() if self._overrun else None
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
        if message.qos == 0:
            self._drop()
            return
        if self._overrun:
            return  # what had been read already
        self._in_hand += 1
        super()._on_message(client, userdata, message)
        if self._in_hand >= MOST_IN_HAND:
            self._stop_reading()

    def _stop_reading(self) -> None:
        """Too much came. Answers of the broker stand behind what we cannot take: from here on none
        is waited for. Our receipts and acknowledgements reach it in the order in which we send
        them, so what it has been acknowledged it has the receipt of. Then only another connection
        makes it count anew (MQTT 5.0, 3.3.4: whoever is sent too much disconnects).
        """
        self._overrun = True
        opened = self._client.socket()
        if opened is not None:
            self._loop.remove_reader(opened.fileno())
        for answer in self._under_way.values():
            if not answer.done():
                answer.set_result(None)

    def _drop(self) -> None:
        """Receive Maximum does not count QoS 0: whoever sent that could fill our memory with it.
        The contract says QoS 1; a gateway would send what got no receipt again.
        """
        self._dropped += 1
        if str(self._dropped).strip("0") == "1":  # once for each power of ten
            log.warning("messages at QoS 0 are dropped; so far: %d", self._dropped)

    def _on_publish(
        self,
        client: Paho,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        answer = self._under_way.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason_code)
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
