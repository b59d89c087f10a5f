"""Bare script: bleak to SQLite to MQTT, without any of the promises of the gateway.

Connects to the meter at ADDRESS, commits each indication with an fsync, publishes it with QoS 1
and marks it. Its tables are named as the gateway's, so that the same queries watch it.

    python -m tests.bench.bare_collect ADDRESS DATABASE PORT CA CERTIFICATE KEY CLIENT TOPIC
"""

import asyncio
import sqlite3
import ssl
import sys

import aiomqtt
from bleak import BleakClient, BleakScanner

MEASUREMENT = "2a35"
BODY = b"x" * 6000  # about as long as the Bundle of a blood pressure


def database(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS frames (id INTEGER PRIMARY KEY, octets BLOB) STRICT"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS readings (id INTEGER PRIMARY KEY, state TEXT) STRICT"
    )
    return connection


async def main(arguments: list[str]) -> None:
    address, path, port, ca, certificate, key, client_id, topic = arguments
    connection = database(path)
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def arrived(_: object, octets: bytearray) -> None:
        connection.execute("INSERT INTO frames (octets) VALUES (?)", (bytes(octets),))
        queue.put_nowait(bytes(octets))

    device = await BleakScanner.find_device_by_address(address, bluez={"adapter": "hci0"})
    assert device is not None
    async with (
        aiomqtt.Client(
            "127.0.0.1",
            int(port),
            identifier=client_id,
            tls_context=context,
            protocol=aiomqtt.ProtocolVersion.V5,
        ) as broker,
        BleakClient(device, bluez={"adapter": "hci0"}) as meter,
    ):
        await meter.start_notify(MEASUREMENT, arrived)
        while True:
            await queue.get()
            await broker.publish(topic, BODY, qos=1)
            connection.execute("INSERT INTO readings (state) VALUES ('published')")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
