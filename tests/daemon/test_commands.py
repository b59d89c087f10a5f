"""A backend commands over the broker: the whole daemon, a real mosquitto, a fleet key."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import aiomqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import contract
from gateway.contract import Topics
from tests.contract.published import violations
from tests.daemon.scene import GATEWAY, LONG_S, ORGANISATION, Scene

TOPICS = Topics(ORGANISATION, GATEWAY)
FLEET = Ed25519PrivateKey.generate()
ID = UUID("5f0c3b57-53a1-4b0e-8a93-6d6f2f6f6c11")


def pin_key(scene: Scene) -> None:
    """The gateway of *scene* obeys FLEET from its next start on."""
    path = scene.folder / "fleet.pem"
    public = FLEET.public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with scene.configuration.open("a") as file:
        file.write(f'\n[commands]\nobey = true\nfleet_key = "{path}"\n')


def replay(**arguments: object) -> bytes:
    document: dict[str, Any] = {
        "id": str(ID),
        "issuer": "fleet-1",
        "number": 1,
        "expires": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "command": contract.REPLAY,
        "arguments": arguments,
    }
    signature = FLEET.sign(contract.signed_octets(TOPICS.command, document))
    return json.dumps(document | {"signature": base64.b64encode(signature).decode()}).encode()


@asynccontextmanager
async def backend(scene: Scene) -> AsyncIterator[aiomqtt.Client]:
    """The care team's end of the line, in our own hands."""
    settings = scene.receiving
    async with (
        asyncio.timeout(LONG_S),
        aiomqtt.Client(
            settings.host,
            settings.port,
            identifier=settings.by,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=scene.trust(),
        ) as client,
    ):
        await client.subscribe(TOPICS.reply, qos=1)
        await client.subscribe(TOPICS.observation, qos=1)
        yield client


async def test_a_backend_that_lost_a_reading_asks_for_it_and_gets_the_same_octets(
    scene: Scene,
) -> None:
    pin_key(scene)
    await scene.broker.start()
    async with scene.gateway() as gateway:
        async with scene.receiver():
            await scene.add(scene.home.thermometer)
            scene.home.thermometer.measure()
            await gateway.until_states(received=1)
            ((number,),) = await gateway.rows("SELECT seq FROM readings")
        async with backend(scene) as client:
            asked = replay(epoch=gateway.store.epoch, first=number, last=number)
            correlated = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho has none
            correlated.CorrelationData = b"7"
            await client.publish(TOPICS.command, asked, qos=1, properties=correlated)
            heard: dict[str, aiomqtt.Message] = {}
            async for message in client.messages:
                heard[message.topic.value] = message
                if len(heard) == 2:
                    break
        await gateway.until_states(published=1)
        ((digest,),) = await gateway.rows("SELECT sha256 FROM readings")
    reply, again = heard[TOPICS.reply], heard[TOPICS.observation]
    assert violations(TOPICS.reply, bytes(reply.payload), ()) == []
    answer = json.loads(reply.payload)
    assert (answer["id"], answer["status"]) == (str(ID), "done")
    assert answer["result"] == {"again": 1, "waiting": 0, "gone": [], "void": []}
    assert vars(reply.properties)["CorrelationData"] == b"7"
    assert sha256(bytes(again.payload)).hexdigest() == digest
