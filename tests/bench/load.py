"""A gateway that does nothing but publish what was made beforehand, as fast as the broker takes it.

Over TLS at QoS 1, with the user properties of the contract. It counts the receipts.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from gateway import contract
from gateway.contract import Topics
from gateway.uplink import packets
from simulator.broker import Broker
from simulator.pki import Identity
from tests.backend.parts import message
from tests.bench.stage import GATEWAY, ORGANISATION

TOPICS = Topics(ORGANISATION, GATEWAY)
EXPIRY_S = 3600
# Below max_queued_messages of the broker's configuration: what is beyond that, it drops.
AHEAD = 5_000
IDS = 65_535  # of packets


def publishes(count: int, first: int = 1) -> Iterator[bytes]:
    """PUBLISH packets of so many different readings, numbered from *first*."""
    for number in range(first, first + count):
        reading = contract.observation(TOPICS, message(number, gateway=GATEWAY), EXPIRY_S)
        properties = packets.publish_properties(reading).pack()  # type: ignore[no-untyped-call]
        packet_id = struct.pack("!H", number % IDS + 1)
        yield _packet(0x32, _text(reading.topic) + packet_id + properties + reading.body)


class Load:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stored: set[UUID] = set()
        self._news = asyncio.Event()
        self._free = 1
        self._window = asyncio.Semaphore(self._free)

    async def connect(self) -> None:
        """CONNECT and SUBSCRIBE to receipts (MQTT 5.0, chapter 3)."""
        flags, keep_alive_s, no_properties = 0x02, 0, b"\x00"
        head = _text("MQTT") + struct.pack("!BBH", 5, flags, keep_alive_s) + no_properties
        self._writer.write(_packet(0x10, head + _text(GATEWAY)))
        _, connack = await self._read()
        if connack[1] != 0:
            raise RuntimeError(f"the broker refuses the load: reason code {connack[1]}")
        properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        properties.unpack(connack[2:])  # type: ignore[no-untyped-call]
        self._free = packets.limits(properties, IDS).window
        self._window = asyncio.Semaphore(self._free)
        self._writer.write(_packet(0x82, b"\x00\x01\x00" + _text(TOPICS.receipt) + b"\x01"))
        await self._read()  # SUBACK

    async def publish(self, made: Iterable[bytes]) -> int:
        """Return when the broker has them all: how many."""
        sent = 0
        for packet in made:
            await self._window.acquire()
            self._writer.write(packet)
            sent += 1
            await self._writer.drain()
        return sent

    async def confirmed(self, made: Iterable[bytes], ahead: int = AHEAD) -> None:
        """Return when each has its receipt; never more than *ahead* wait for theirs."""
        before, sent = len(self._stored), 0
        for packet in made:
            await self._until(before + sent + 1 - ahead)
            sent += await self.publish([packet])
        await self._until(before + sent)

    @property
    def count(self) -> int:
        """Of readings that have their receipt."""
        return len(self._stored)

    async def taken(self) -> None:
        """Return when the broker has acknowledged whatever was published."""
        for _ in range(self._free):
            await self._window.acquire()
        for _ in range(self._free):
            self._window.release()

    async def _until(self, count: int) -> None:
        while len(self._stored) < count:
            self._news.clear()
            await self._news.wait()

    async def listen(self) -> None:
        """Until cancelled. Raises IncompleteReadError when the broker hangs up."""
        while True:
            first, body = await self._read()
            match first >> 4:
                case PacketTypes.PUBACK:
                    if len(body) > 2 and body[2] != 0:
                        raise RuntimeError(f"the broker took no reading: reason code {body[2]:#x}")
                    self._window.release()
                case PacketTypes.PUBLISH:
                    self._hear(body)

    def _hear(self, body: bytes) -> None:
        topic = struct.unpack_from("!H", body)[0] + 2
        self._writer.write(_packet(0x40, body[topic : topic + 2]))  # PUBACK
        rest = body[topic + 2 :]
        properties, octets = VariableByteIntegers.decode(rest)  # type: ignore[no-untyped-call]
        receipts = contract.parse_receipts(rest[octets + properties :]).receipts
        for receipt in receipts:
            if receipt.status not in {"stored", "duplicate"}:  # a duplicate is as durable
                raise RuntimeError(f"{receipt.status} by the receiver: {receipt.reason}")
            self._stored.add(receipt.id)
        self._news.set()

    async def _read(self) -> tuple[int, bytes]:
        first = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            octet = (await self._reader.readexactly(1))[0]
            length |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return first, await self._reader.readexactly(length)


@asynccontextmanager
async def load(broker: Broker, identity: Identity) -> AsyncIterator[Load]:
    tls = ssl.create_default_context(cafile=broker.ca)
    tls.load_cert_chain(identity.certificate, identity.key)
    reader, writer = await asyncio.open_connection(broker.host, broker.port, ssl=tls)
    try:
        made = Load(reader, writer)
        await made.connect()
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(made.listen(), name="load listens")
            yield made
            listening.cancel()
    finally:
        writer.transport.abort()


def _packet(first: int, rest: bytes) -> bytes:
    length: bytes = VariableByteIntegers.encode(len(rest))  # type: ignore[no-untyped-call]
    return bytes([first]) + length + rest


def _text(text: str) -> bytes:
    octets = text.encode()
    return struct.pack("!H", len(octets)) + octets
