"""A small MQTT 5 server that does as it is told: over TLS, on loopback, standard library only.

It is no broker: it answers CONNECT, SUBSCRIBE, PUBLISH and PINGREQ as its script says, can send
PUBLISH and DISCONNECT, and remembers what it was sent. Packets as in MQTT 5.0, chapter 3.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from simulator.pki import Authority

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

LONG_S = 20.0  # no test waits for as long as this unless something is broken


def receive_maximum(value: int) -> bytes:
    return b"\x21" + struct.pack("!H", value)


def maximum_packet_size(value: int) -> bytes:
    return b"\x27" + struct.pack("!I", value)


def server_keep_alive(value: int) -> bytes:
    return b"\x13" + struct.pack("!H", value)


RETAIN_UNAVAILABLE = b"\x25\x00"
QOS_0_ONLY = b"\x24\x00"


@dataclass
class Script:
    """What the server does. `puback` is given how many PUBLISH came before; None: no answer."""

    connack: int | None = 0
    properties: bytes = b""
    puback: Callable[[int], int | None] = field(default=lambda _: 0)
    suback: int | None = 1
    hang_up_after: int | None = None  # PUBLISH packets, then the TCP connection is closed
    raw_connack: bytes | None = None  # sent instead of a CONNACK
    answers_ping: bool = True
    session_present: bool = False


@dataclass
class Connection:
    """What one client did. Each packet is (type, flags, body)."""

    writer: asyncio.StreamWriter
    packets: list[tuple[int, int, bytes]] = field(default_factory=list)
    most_outstanding: int = 0
    closed: bool = False

    def of(self, kind: int) -> list[tuple[int, int, bytes]]:
        return [packet for packet in self.packets if packet[0] == kind]

    async def send(self, kind: int, body: bytes = b"", flags: int = 0) -> None:
        self.writer.write(bytes([kind << 4 | flags]) + _length(len(body)) + body)
        await self.writer.drain()

    async def publish(
        self,
        topic: str,
        body: bytes,
        mid: int,
        retain: bool = False,
        *,
        again: bool = False,
        content_type: str | None = None,
    ) -> None:
        """At QoS 1; *again*: marked as a duplicate of what was sent before."""
        kind = b"" if content_type is None else b"\x03" + _text(content_type)
        packet = _text(topic) + struct.pack("!H", mid) + _length(len(kind)) + kind + body
        await self.send(PUBLISH, packet, 0x02 | retain | again << 3)

    async def hang_up(self, code: int) -> None:
        """DISCONNECT, with a reason code."""
        await self.send(DISCONNECT, bytes([code, 0]))


class ScriptedBroker:
    """Serves until the end of its `async with`."""

    def __init__(self, authority: Authority, script: Script) -> None:
        self.script = script
        self.connections: list[Connection] = []
        self.ca = authority.ca
        identity = authority.server("scripted")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self._tls.load_cert_chain(identity.certificate, identity.key)
        self._tls.load_verify_locations(authority.ca)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._seen = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in self.connections:
            connection.writer.close()
        await self.until(lambda: all(connection.closed for connection in self.connections))

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Return when something that was sent to us made *wanted* true."""
        async with asyncio.timeout(LONG_S), self._seen:
            await self._seen.wait_for(wanted)

    async def until_connections(self, count: int) -> list[Connection]:
        """Return them when there have been so many, each with a packet or more."""

        def there() -> bool:
            return len([each for each in self.connections if each.packets]) >= count

        await self.until(there)
        return self.connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer)
        self.connections.append(connection)
        try:
            while True:
                kind, flags, body = await _packet(reader)
                connection.packets.append((kind, flags, body))
                await self._answer(connection, kind, body)
                async with self._seen:
                    self._seen.notify_all()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
        finally:
            connection.closed = True
            async with self._seen:
                self._seen.notify_all()

    async def _answer(self, connection: Connection, kind: int, body: bytes) -> None:
        script = self.script
        if kind == CONNECT and script.raw_connack is not None:
            connection.writer.write(script.raw_connack)
        elif kind == CONNECT and script.connack is not None:
            properties = script.properties
            answer = (
                bytes([script.session_present, script.connack])
                + _length(len(properties))
                + properties
            )
            await connection.send(CONNACK, answer)
        elif kind == SUBSCRIBE and script.suback is not None:
            await connection.send(SUBACK, body[:2] + b"\x00" + bytes([script.suback]))
        elif kind == PINGREQ and script.answers_ping:
            await connection.send(PINGRESP)
        elif kind == PUBLISH:
            await self._acknowledge(connection, body)

    async def _acknowledge(self, connection: Connection, body: bytes) -> None:
        before = len(connection.of(PUBLISH)) - 1
        if self.script.hang_up_after == before + 1:
            connection.writer.close()
            return
        code = self.script.puback(before)
        answered = sum(1 for n in range(before) if self.script.puback(n) is not None)
        connection.most_outstanding = max(connection.most_outstanding, before + 1 - answered)
        if code is not None:
            await connection.send(PUBACK, message_id(body) + bytes([code, 0]))


def topic(body: bytes) -> str:
    """The topic of a PUBLISH."""
    (size,) = struct.unpack_from("!H", body)
    return body[2 : 2 + size].decode()


def message_id(body: bytes) -> bytes:
    """The packet identifier of a PUBLISH."""
    (topic,) = struct.unpack_from("!H", body)
    return body[2 + topic : 4 + topic]


def payload(body: bytes) -> bytes:
    """The payload of a PUBLISH at QoS 1."""
    (topic,) = struct.unpack_from("!H", body)
    size, length = _read_length(body, 4 + topic)
    return body[4 + topic + size + length :]


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        octet = (await reader.readexactly(1))[0]
        length |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return first >> 4, first & 0x0F, await reader.readexactly(length)


def _text(value: str) -> bytes:
    octets = value.encode()
    return struct.pack("!H", len(octets)) + octets


def _length(value: int) -> bytes:
    """A variable byte integer."""
    octets = bytearray()
    while True:
        value, low = divmod(value, 128)
        octets.append(low | 0x80 if value else low)
        if not value:
            return bytes(octets)


def _read_length(octets: bytes, start: int) -> tuple[int, int]:
    value = shift = position = 0
    while True:
        octet = octets[start + position]
        value |= (octet & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if octet < 0x80:
            return position, value
