"""Somebody who listens to everything on the broker of a demonstration, with rights of its own."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiomqtt
from aiomqtt import ProtocolVersion

from simulator.stage import OBSERVER, ORGANISATION, Stage


@dataclass(frozen=True, slots=True)
class Heard:
    """One message, as it came over the wire."""

    topic: str
    body: bytes
    qos: int
    content_type: str | None
    utf8: bool
    user_properties: Sequence[tuple[str, str]]


@dataclass(slots=True)
class Capture:
    messages: list[Heard] = field(default_factory=list)
    listening: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, here: Stage) -> None:
        """Until cancelled."""
        tls = ssl.create_default_context(cafile=here.broker.ca)
        tls.load_cert_chain(here.observer.certificate, here.observer.key)
        async with aiomqtt.Client(
            here.broker.host,
            here.broker.port,
            identifier=OBSERVER,
            protocol=ProtocolVersion.V5,
            tls_context=tls,
        ) as client:
            await client.subscribe(f"hjemgate/1/{ORGANISATION}/#", qos=1)
            self.listening.set()
            async for message in client.messages:
                self.messages.append(_heard(message))

    def of(self, channel: str) -> list[Heard]:
        return [each for each in self.messages if each.topic.endswith(channel)]


def _heard(message: aiomqtt.Message) -> Heard:
    properties = message.properties
    return Heard(
        str(message.topic),
        bytes(message.payload),
        message.qos,
        getattr(properties, "ContentType", None),
        getattr(properties, "PayloadFormatIndicator", 0) == 1,
        getattr(properties, "UserProperty", ()),
    )
