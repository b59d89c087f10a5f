"""The receiver as its users run it: a process, a real broker, a real gateway's uplink."""

import asyncio
import hashlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import UUID

import pytest

from backend.store import readings
from gateway import config, contract
from gateway.contract import Offline, Publication, Receipt, Topics
from gateway.model import Message
from gateway.uplink import Session, Uplink
from simulator.broker import Broker
from simulator.pki import Authority

TOPICS = Topics("org1", "gw-0123456789")
BODY = b'{"resourceType":"Bundle","type":"transaction","entry":[{}]}'
MESSAGE = Message(
    row=1,
    id=UUID("00000000-0000-5000-8000-000000000001"),
    version=1,
    epoch="e1",
    seq=1,
    taken_at=datetime(2026, 11, 25, 7, 0, tzinfo=UTC),
    late=False,
    sha256=hashlib.sha256(BODY).hexdigest(),
    body=BODY,
    attempt=1,
)
OBSERVATION = contract.observation(TOPICS, MESSAGE, 600)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
async def broker(tmp_path: Path, authority: Authority) -> AsyncIterator[Broker]:
    async with Broker(tmp_path / "broker", authority, "org1", [TOPICS.gateway]) as running:
        yield running


@pytest.fixture
def uplink(broker: Broker, authority: Authority) -> Uplink:
    identity = authority.client(TOPICS.gateway)
    settings = config.Broker(
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=identity.certificate,
        key=identity.key,
    )
    offline = Offline(at=datetime(2026, 11, 25, tzinfo=UTC), gateway=TOPICS.gateway, version="1")
    return Uplink(settings, TOPICS.gateway, lambda: contract.will(TOPICS, offline))


class Receiver:
    """A running `hjemgate-receiver`."""

    def __init__(self, broker: Broker, authority: Authority, directory: Path) -> None:
        identity = authority.client("receiver-1")
        self.store = directory / "store.db"
        self.export = directory / "bundles"
        self.errors = b""
        self._arguments: list[str] = [
            *("--host", broker.host, "--port", str(broker.port), "--ca", str(broker.ca)),
            *("--cert", str(identity.certificate), "--key", str(identity.key)),
            *("--store", str(self.store), "--org", "org1", "--export", str(self.export)),
            *("--reconnect-cap", "0.1"),
        ]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "backend.receiver", *self._arguments),
            stderr=asyncio.subprocess.PIPE,
        )
        await self.says(b"listening")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            self.errors += (await self._process.communicate())[1]
        assert (self._process.returncode, b"Traceback" in self.errors) == (0, False)

    async def says(self, word: bytes) -> None:
        assert self._process.stderr is not None
        async with asyncio.timeout(10):
            while word not in (line := await self._process.stderr.readline()):
                assert line, self.errors
                self.errors += line


@pytest.fixture
async def receiver(broker: Broker, authority: Authority, tmp_path: Path) -> AsyncIterator[Receiver]:
    async with Receiver(broker, authority, tmp_path) as running:
        yield running


async def answers(session: Session, *publications: Publication) -> list[Receipt]:
    """Publish one after the other, each when the receipt to the one before has come."""
    await session.subscribe(TOPICS.receipt)
    messages = session.messages()
    receipts: list[Receipt] = []
    for publication in publications:
        assert await session.publish(publication) == 0
        async with asyncio.timeout(10):
            message = await anext(messages)
        receipts += contract.parse_receipts(message.body).receipts
    return receipts


async def test_a_reading_is_stored_exported_and_confirmed(
    uplink: Uplink, receiver: Receiver
) -> None:
    async with uplink.connect() as session:
        (receipt,) = await answers(session, OBSERVATION)
    assert (receipt.id, receipt.sha256, receipt.status) == (MESSAGE.id, MESSAGE.sha256, "stored")
    assert receipt.by == "receiver-1"
    (row,) = readings(receiver.store)
    assert (row.body, row.seq, row.deliveries) == (BODY, 1, 1)
    assert (receiver.export / f"{MESSAGE.id}-v1.json").read_bytes() == BODY


async def test_the_same_again_is_a_duplicate(uplink: Uplink, receiver: Receiver) -> None:
    async with uplink.connect() as session:
        receipts = await answers(session, OBSERVATION, OBSERVATION)
    assert [receipt.status for receipt in receipts] == ["stored", "duplicate"]
    (row,) = readings(receiver.store)
    assert row.deliveries == 2


async def test_other_octets_under_the_same_name_are_rejected(
    uplink: Uplink, receiver: Receiver
) -> None:
    other = BODY + b" "
    message = replace(MESSAGE, body=other, sha256=hashlib.sha256(other).hexdigest())
    changed = contract.observation(TOPICS, message, 600)
    async with uplink.connect() as session:
        _, receipt = await answers(session, OBSERVATION, changed)
    assert (receipt.status, receipt.sha256) == ("rejected", message.sha256)
    assert [row.body for row in readings(receiver.store)] == [BODY]


async def test_what_is_no_bundle_is_rejected_with_a_reason(
    uplink: Uplink, receiver: Receiver
) -> None:
    message = replace(MESSAGE, body=b"{}", sha256=hashlib.sha256(b"{}").hexdigest())
    async with uplink.connect() as session:
        (receipt,) = await answers(session, contract.observation(TOPICS, message, 600))
    assert (receipt.status, receipt.reason) == ("rejected", "body: not a FHIR Bundle")


async def test_it_comes_back_when_the_broker_does(
    uplink: Uplink, receiver: Receiver, broker: Broker
) -> None:
    await broker.stop()
    await receiver.says(b"trying again")
    await broker.start()
    await receiver.says(b"listening")
    async with uplink.connect() as session:
        (receipt,) = await answers(session, OBSERVATION)
    assert receipt.status == "stored"


async def test_readings_wait_at_the_broker_for_a_receiver_that_is_away(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    async with Receiver(broker, authority, tmp_path):
        pass
    async with uplink.connect() as session:
        await session.subscribe(TOPICS.receipt)
        await session.publish(OBSERVATION)
        async with Receiver(broker, authority, tmp_path), asyncio.timeout(10):
            message = await anext(session.messages())
    assert contract.parse_receipts(message.body).receipts[0].status == "stored"


async def test_a_thousand_readings_are_confirmed_one_by_one(
    uplink: Uplink, receiver: Receiver
) -> None:
    messages = [replace(MESSAGE, id=UUID(int=n), seq=n) for n in range(1, 1001)]
    confirmed: set[UUID] = set()
    async with uplink.connect() as session, asyncio.timeout(60), asyncio.TaskGroup() as group:
        await session.subscribe(TOPICS.receipt)
        for message in messages:
            publication = contract.observation(TOPICS, message, 600)
            group.create_task(session.publish(publication), name=f"publish {message.seq}")
        async for incoming in session.messages():
            receipts = contract.parse_receipts(incoming.body).receipts
            confirmed.update(receipt.id for receipt in receipts)
            if len(confirmed) == 1000:
                break
    assert sum(row.deliveries for row in readings(receiver.store)) == 1000


async def test_wrong_files_are_named_and_end_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend.receiver", "--host", "127.0.0.1", "--ca", missing),
        *("--cert", missing, "--key", missing, "--store", str(tmp_path / "s.db"), "--org", "o"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert (process.returncode, b"No such file" in errors) == (78, True)
