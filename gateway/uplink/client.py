"""aiomqtt, mended: reason codes, the broker's limits, and losses told at once.

aiomqtt 2.5 drops the reason code of a PUBACK, ignores Receive Maximum and Maximum Packet Size,
lets waiters run into a time limit when the link is lost, and leaves unsent messages in paho's
queue, which would send them again by itself. Here rows live on disk alone: what is in flight
when the link is lost has failed. Names of aiomqtt's own are overridden: it is pinned below 3,
and tests/uplink holds each of these habits against a scripted broker.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import aiomqtt
from aiomqtt.types import PahoSocket
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import Broker
from gateway.contract import Publication
from gateway.uplink import packets
from gateway.uplink.errors import TOO_LARGE, Refused, UplinkError, reason, unreachable
from gateway.uplink.window import Window

T = TypeVar("T")

CONNECT_S = 5.0  # for TCP and TLS each; in a thread, which a shutdown has to wait for
CONNACK_S = 15.0
GOODBYE_S = 1.0
KEEP_ALIVE_TIMEOUT = 0x8D

# What paho-mqtt has to say is in UplinkError, in better words.
_silent = logging.getLogger(f"{__name__}.paho")
_silent.setLevel(logging.CRITICAL)


class Client(aiomqtt.Client):
    """One connection; used once."""

    def __init__(
        self, broker: Broker, client_id: str, will: Publication, tls: ssl.SSLContext
    ) -> None:
        super().__init__(
            broker.host,
            broker.port,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=packets.connect_properties(),
            keepalive=broker.keepalive_s,
            will=packets.will(will),
            logger=_silent,
            tls_context=tls,
            timeout=CONNACK_S,
            max_inflight_messages=0,  # paho counts nothing: the window below does
            max_queued_incoming_messages=packets.INBOUND_WINDOW * 2,  # QoS 0 might flood us
        )
        self._client.manual_ack_set(True)
        self._client.connect_timeout = CONNECT_S
        self.session_present = False
        self.loss: UplinkError | None = None
        self._window: Final = broker.window
        self._limits = packets.Limits()
        self._outstanding: Final = Window()
        self._trouble: str | None = None  # why TLS ended
        self._opening: Final = threading.Lock()
        self._disconnected.add_done_callback(self._on_gone)

    async def open(self) -> None:
        """Connect. Raises UplinkError."""
        try:
            await self.__aenter__()
            if self.loss is not None:
                raise self.loss.again()
        except aiomqtt.MqttCodeError as error:
            code = error.rc.value if isinstance(error.rc, ReasonCode) else None
            words = "no" if code is None else reason(code)
            raise UplinkError("refused", f"the broker refused us: {words}", code) from error
        except aiomqtt.MqttError as error:
            raise UplinkError("unanswered", "the broker did not answer our CONNECT") from error

    async def send(self, publication: Publication, limit_s: float) -> int:
        """Publish, wait for the PUBACK, return its reason code. Raises UplinkError or Refused.

        A caller that goes away leaves its place in the window taken until the broker answers.
        """
        properties = packets.publish_properties(publication)
        size = packets.publish_size(publication, properties)
        if size > self._limits.packet:
            raise Refused(
                f"{size} octets, the broker takes {self._limits.packet}: raise its limit", TOO_LARGE
            )
        await self._outstanding.enter()
        answer = self._hand_over(publication, properties, size)
        try:
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError:
            lost = UplinkError("unanswered", f"no PUBACK within {limit_s:g} s")
            self.lose(lost)
            raise lost.again() from None

    def _hand_over(
        self, publication: Publication, properties: Properties, size: int
    ) -> asyncio.Future[int]:
        if self.loss is None:
            info = self._client.publish(
                publication.topic,
                publication.body,
                qos=1,
                retain=publication.retain and self._limits.retain,
                properties=properties,
            )
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self.lose(UplinkError("lost", f"the connection ended ({info.rc.name})"))
        if self.loss is not None:  # before, or while it was being written
            self._outstanding.leave()  # the next in the queue finds the same
            raise self.loss.again()
        return self._outstanding.sent(info.mid, size)

    async def listen(self, topic: str) -> None:
        """Subscribe at QoS 1. Raises UplinkError."""
        try:
            granted = await self.subscribe(topic, options=packets.subscribe_options())
        except aiomqtt.MqttError as error:
            raise self._or_lost(UplinkError("unanswered", "no SUBACK")) from error
        for code in granted:
            if isinstance(code, ReasonCode) and code.value >= 0x80:
                words = f"may not listen to {topic}: {reason(code.value)}"
                raise UplinkError("refused", words, code.value)

    async def next_message(self) -> aiomqtt.Message:
        """Wait for what comes. Raises UplinkError."""
        try:
            return await anext(self.messages)
        except aiomqtt.MqttError as error:
            raise self._or_lost(UplinkError("lost", "the connection ended")) from error

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Tell the broker that it may forget *message*."""
        if self.loss is None and message.qos > 0:
            self._client.ack(message.mid, message.qos)

    async def shut(self) -> None:
        """Hang up. The will stands: the broker publishes it unless we are back in time."""
        self._disconnected.remove_done_callback(self._on_gone)
        try:
            if self.loss is None and self._connected.done() and not self._connected.cancelled():
                self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, packets.WITH_WILL))
                await asyncio.wait({self._disconnected}, timeout=GOODBYE_S)
        finally:
            with self._opening:
                self.lose(UplinkError("lost", "we hung up"))
            self._hang_up()
            if self._misc_task is not None:
                self._misc_task.cancel()
        if self._misc_task is not None:
            await asyncio.wait({self._misc_task})

    def lose(self, loss: UplinkError) -> None:
        """The link is gone: everything that waits fails now, nothing is left to be sent again."""
        if self.loss is not None:
            return
        self.loss = loss
        waiters: list[asyncio.Future[Any]] = [self._connected]
        for waiter in (*waiters, *self._pending_subscribes.values()):
            if not waiter.done():
                waiter.set_exception(loss.again())
                waiter.exception()  # whoever waited may have gone away
        self._outstanding.fail(loss)
        self._client.drop_out_messages()
        if not self._disconnected.done():
            self._disconnected.set_result(None)
        self._loop.call_soon(self._hang_up)  # not now: paho holds a lock while it calls us

    def _hang_up(self) -> None:
        self._client._sock_close()  # noqa: SLF001  # paho has no public way to just hang up

    def _or_lost(self, otherwise: UplinkError) -> UplinkError:
        return otherwise if self.loss is None else self.loss.again()

    # What aiomqtt and paho-mqtt call.

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  # aiomqtt's signature
        """As aiomqtt's, without the wait_for of Python 3.11: it can swallow a cancellation."""
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("no answer from the broker") from None

    def _client_connect(self) -> None:
        try:
            super()._client_connect()
        except (OSError, UnicodeError) as error:
            raise unreachable(error, self._hostname, self._port) from error

    def _on_connect(
        self,
        client: Paho,
        userdata: object,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done() and reason_code.value == 0:
            self.session_present = flags.session_present
            self._limits = packets.limits(properties, self._window)
            if self._limits.qos < 1:
                self.lose(UplinkError("refused", f"the broker: {reason(0x9B)}", 0x9B))
                return
            self._outstanding.open(self._limits.window)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self,
        client: Paho,  # noqa: ARG002  # paho's signature
        userdata: object,  # noqa: ARG002  # paho's signature
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,  # noqa: ARG002  # paho's signature
    ) -> None:
        self._outstanding.answered(mid, reason_code.value)

    def _on_disconnect(
        self,
        client: Paho,  # noqa: ARG002  # paho's signature
        userdata: object,  # noqa: ARG002  # paho's signature
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,  # noqa: ARG002  # paho's signature
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            code = reason_code.value
            self.lose(UplinkError("lost", f"the broker hung up: {reason(code)}", code))
        elif self._trouble is not None:
            self.lose(UplinkError("tls", self._trouble))
        else:
            silent = reason_code.value == KEEP_ALIVE_TIMEOUT
            words = "no answer to a ping" if silent else "the broker or the way to it went away"
            self.lose(UplinkError("lost", f"the connection ended: {words}"))

    def _on_socket_open(self, client: Paho, userdata: object, sock: PahoSocket) -> None:
        with self._opening:  # called in the thread that connects
            if self.loss is not None:
                raise ConnectionAbortedError("given up while connecting")
            super()._on_socket_open(client, userdata, sock)

    def _on_socket_close(self, client: Paho, userdata: object, sock: PahoSocket) -> None:
        self._trouble = getattr(sock, "trouble", None)
        super()._on_socket_close(client, userdata, sock)

    def _on_socket_register_write(
        self,
        client: Paho,
        userdata: object,  # noqa: ARG002  # paho's signature
        sock: PahoSocket,
    ) -> None:
        """aiomqtt would do it later by number, which may then be that of somebody else's socket."""

        def flush() -> None:
            try:
                client.loop_write()
            except (OSError, ValueError) as error:  # a broken pipe; a socket that was closed
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def watch() -> None:
            if (number := sock.fileno()) >= 0:
                self._loop.add_writer(number, flush)

        self._loop.call_soon_threadsafe(watch)  # called in the thread that connects, too

    def _on_gone(self, gone: asyncio.Future[None]) -> None:
        """aiomqtt ends a connection so when reading or parsing raised."""
        if not gone.cancelled() and (error := gone.exception()) is not None:
            self.lose(UplinkError("protocol", f"not MQTT 5 as we know it ({type(error).__name__})"))
