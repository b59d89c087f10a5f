"""The way up: one connection at a time, handed out as a session."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.config import Broker
from gateway.contract import Publication
from gateway.uplink.client import Client
from gateway.uplink.errors import FOR_GOOD, Refused, UplinkError, reason
from gateway.uplink.tls import context

PUBACK_S = 60.0  # a broker that takes longer is taken for gone

NO_SUBSCRIBERS = 0x10  # a good PUBACK, and nobody there to hear it


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came down."""

    topic: str
    body: bytes
    retain: bool
    content_type: str | None
    correlation: bytes | None
    response_topic: str | None


class Session:
    """A connection that works. When it is lost, everything that waits on it raises UplinkError."""

    def __init__(self, client: Client, puback_s: float) -> None:
        self._client = client
        self._puback_s = puback_s

    @property
    def resumed(self) -> bool:
        """Whether the broker had kept our session, and what came down meanwhile."""
        return self._client.session_present

    async def subscribe(self, *topics: str) -> None:
        """Ask for *topics*. Raises UplinkError."""
        for topic in topics:
            await self._client.listen(topic)

    async def publish(self, publication: Publication) -> int:
        """Publish at QoS 1; return the broker's reason code: 0, or NO_SUBSCRIBERS.

        Waits for room in the window. Raises Refused if the broker will never take this message,
        UplinkError for whatever else is not a good PUBACK.
        """
        code = await self._client.send(publication, self._puback_s)
        if code < 0x80:
            return code
        if code in FOR_GOOD:
            raise Refused(f"the broker refused this message: {reason(code)}", code)
        words = f"the broker did not take a message on {publication.topic}: {reason(code)}"
        raise UplinkError("refused", words, code)

    async def messages(self) -> AsyncIterator[Incoming]:
        """What comes down, until the link is lost: then raises UplinkError.

        A message is acknowledged when the next is asked for: do what must not be lost before.
        """
        while True:
            message = await self._client.next_message()
            properties = message.properties
            yield Incoming(
                topic=str(message.topic),
                body=bytes(message.payload),
                retain=message.retain,
                content_type=getattr(properties, "ContentType", None),
                correlation=getattr(properties, "CorrelationData", None),
                response_topic=getattr(properties, "ResponseTopic", None),
            )
            self._client.acknowledge(message)


class Uplink:
    """How to reach the broker. *will* is asked at each connection what to leave with it."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: Callable[[], Publication],
        puback_s: float = PUBACK_S,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._will = will
        self._puback_s = puback_s

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Session]:
        """Connect, and hang up at the end. Raises UplinkError; the caller limits the time."""
        tls = await asyncio.to_thread(context, self._broker)
        client = Client(self._broker, self._client_id, self._will(), tls)
        try:
            await client.open()
            yield Session(client, self._puback_s)
        finally:
            await client.shut()
