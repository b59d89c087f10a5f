"""The receiver as its users run it, a process; and the gateways that speak to it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from backend import cli, receiver
from backend.onward import Pace, Party
from backend.receiver import DEFAULT_PACE
from backend.settings import Settings
from backend.store import Store, StoredReading, open_database, readings_of
from gateway import config, contract
from gateway.contract import Offline, Publication, Receipt, Topics
from gateway.uplink import Session, Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend.parts import GATEWAY, ORGANISATION, OTHER

LONG_S = 60.0  # no test waits for as long as this unless something is broken
RECEIVERS = ("receiver-1", "receiver-2", "receiver-3")


def broker(folder: Path, authority: Authority) -> Broker:
    return Broker(folder / "broker", authority, ORGANISATION, [GATEWAY, OTHER], RECEIVERS)


def uplink(broker: Broker, authority: Authority, gateway: str = GATEWAY) -> Uplink:
    """A real gateway's way up."""
    identity, topics = authority.client(gateway), Topics(ORGANISATION, gateway)
    settings = config.Broker(
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=identity.certificate,
        key=identity.key,
    )
    offline = Offline(at=datetime(2026, 11, 25, tzinfo=UTC), gateway=gateway, version="1")
    return Uplink(settings, gateway, lambda: contract.will(topics, offline))


class Receiver:
    """A running `hjemgate-receiver`."""

    def __init__(
        self,
        broker: Broker,
        authority: Authority,
        store: Path | str,
        *more: str,
        name: str = "receiver-1",
    ) -> None:
        identity = authority.client(name)
        self.store = str(store)
        self.errors = b""
        options: Mapping[str, object] = {
            "--host": broker.host,
            "--port": broker.port,
            "--ca": broker.ca,
            "--cert": identity.certificate,
            "--key": identity.key,
            "--store": store,
            "--org": ORGANISATION,
            "--name": name,
            "--reconnect-cap": 0.1,
        }
        words = [str(word) for option in options.items() for word in option]
        self._arguments = ["run", *words, *more]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    async def start(self, says: bytes = b"listening") -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "backend", *self._arguments),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await self.says(says)
        except BaseException:
            await self.kill()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LONG_S):
            self.errors += (await self._process.communicate())[1]
        assert (self._process.returncode, b"Traceback" in self.errors) == (0, False), self.errors

    async def kill(self) -> None:
        """As a crash."""
        self._process.kill()
        async with asyncio.timeout(LONG_S):
            self.errors += (await self._process.communicate())[1]

    async def says(self, word: bytes) -> None:
        """Read what it says until *word* is in it."""
        assert self._process.stderr is not None
        async with asyncio.timeout(LONG_S):
            while word not in (line := await self._process.stderr.readline()):
                assert line, self.errors
                self.errors += line
            self.errors += line

    def held(self) -> list[StoredReading]:
        database = open_database(self.store)
        try:
            return readings_of(database)
        finally:
            database.close()


@asynccontextmanager
async def in_process(
    broker: Broker,
    authority: Authority,
    store: Path,
    parties: Sequence[Party] = (),
    pace: Pace = DEFAULT_PACE,
) -> AsyncIterator[None]:
    """One in this process, where a test must reach into it."""
    identity = authority.client("receiver-1")
    settings = Settings(
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=identity.certificate,
        key=identity.key,
        store=store,
        organisation=ORGANISATION,
        by="receiver-1",
    )
    tls, opened = cli.context(settings), Store(open_database(store))
    running = receiver.Receiver(settings, opened, tls, parties=parties, pace=pace)
    try:
        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(running.run(), name="receiver")
            yield
            receiving.cancel()
    finally:
        running.close()


async def tell(*words: str) -> tuple[int, str, str]:
    """Another verb of `hjemgate-receiver`: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LONG_S):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def answers(
    session: Session, publications: Iterable[Publication], topics: Topics
) -> list[Receipt]:
    """Publish one after the other, each when the receipt to the one before has come."""
    await session.subscribe(topics.receipt)
    messages = session.messages()
    receipts: list[Receipt] = []
    for publication in publications:
        assert await session.publish(publication) == 0
        async with asyncio.timeout(LONG_S):
            message = await anext(messages)
        receipts += contract.parse_receipts(message.body).receipts
    return receipts
