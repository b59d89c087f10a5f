"""A client of aiomqtt that knows reason codes and keeps to the broker's limits.

aiomqtt 2.5 drops the reason code of a PUBACK, and ignores Receive Maximum and Maximum Packet Size.
"""

import asyncio
import logging
import ssl
from typing import Final

import aiomqtt
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import Broker
from gateway.contract import Publication
from gateway.uplink import packets
from gateway.uplink.errors import TOO_LARGE, Refused, UplinkError, reason
from gateway.uplink.wire import Wire

CONNECT_S = 5.0  # for TCP and TLS each; in a thread, which a shutdown has to wait for
CONNACK_S = 15.0
GOODBYE_S = 1.0

# What paho-mqtt has to say is in UplinkError, in better words.
_silent = logging.getLogger(f"{__name__}.paho")
_silent.setLevel(logging.CRITICAL)


class Client(Wire):
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
        self._window: Final = broker.window
        self._limits = packets.Limits()

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
            raise self.or_lost(UplinkError("unanswered", "no SUBACK")) from error
        for code in granted:
            if isinstance(code, ReasonCode) and code.value >= 0x80:
                words = f"may not listen to {topic}: {reason(code.value)}"
                raise UplinkError("refused", words, code.value)

    async def next_message(self) -> aiomqtt.Message:
        """Wait for what comes. Raises UplinkError."""
        try:
            return await anext(self.messages)
        except aiomqtt.MqttError as error:
            raise self.or_lost(UplinkError("lost", "the connection ended")) from error

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
            self._give_up(UplinkError("lost", "we hung up"))
            if self._misc_task is not None:
                self._misc_task.cancel()
        if self._misc_task is not None:
            await asyncio.wait({self._misc_task})

    # What paho-mqtt calls.

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
