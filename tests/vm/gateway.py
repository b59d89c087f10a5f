"""The whole daemon over the machine's bluetoothd, in this process; its broker is not there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import control_client
from gateway.config import Config, load
from gateway.daemon import house
from gateway.outbox.database import Database
from gateway.outbox.store import Store, open_store
from simulator.meters.meter import Meter

ANNA = "urn:uuid:11111111-2222-4333-8444-555555555555"
SLOTS = {"blood-pressure": 1, "weight": 1}  # the virtual meters that name their user
LONG_S = 120.0  # no scenario waits for as long as this unless something is broken
LOOK_S = 0.1

CONFIGURATION = """\
[gateway]
id = "gw-0123456789"
organisation = "org1"
state_dir = "{folder}/state"
socket = "{folder}/control.sock"

[broker]
host = "127.0.0.1"
port = 1
ca = "{folder}/none.pem"
certificate = "{folder}/none.pem"
key = "{folder}/none.pem"

[outbox]
key = "{folder}/outbox.key"

[radio]
backend = "bluez"
adapter = "{adapter}"

[clock]
trust = "assume"

[fhir]
gate = false
simulated = true
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One that runs. Readings go as far as "pending": nobody takes them."""

    store: Store
    socket: Path

    async def add(self, *meters: Meter) -> None:
        """Tell it whose these are, for a year already."""
        for meter in meters:
            await control_client.request(
                self.socket,
                "devices add",
                driver=meter.driver,
                address=meter.identity.address,
                patient=ANNA,
                slot=SLOTS.get(meter.kind),
                **{"from": "2025-11-25"},
            )

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store(lambda db: db.execute(sql).fetchall())

    async def until(self, sql: str, *expected: tuple[Any, ...]) -> None:
        """Until the rows are these."""
        rows: list[tuple[Any, ...]] = []
        try:
            async with asyncio.timeout(LONG_S):
                while (rows := await self.rows(sql)) != list(expected):  # noqa: ASYNC110 - rows have none
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"expected {list(expected)}, got {rows}") from None

    async def until_readings(self, count: int) -> None:
        """Until there are so many, and all of them are only waiting to be sent."""
        await self.until("SELECT state, count(*) FROM readings GROUP BY state", ("pending", count))

    async def sessions(self) -> list[str]:
        """How each ended, in order."""
        rows = await self.rows("SELECT outcome FROM sessions WHERE outcome NOT NULL ORDER BY id")
        return [outcome for (outcome,) in rows]

    async def octets(self) -> list[bytes]:
        """Every frame on its disk, in order."""

        def frames(db: Database) -> list[bytes]:
            rows = db.execute("SELECT id, octets FROM frames ORDER BY id").fetchall()
            return [db.open("frames", row, "octets", sealed) for row, sealed in rows]

        return await self.store(frames)


def _configuration(folder: Path, adapter: str) -> Config:
    folder.mkdir(exist_ok=True)
    path = folder / "gateway.toml"
    path.write_text(CONFIGURATION.format(folder=folder, adapter=adapter), "utf-8")
    return load(path)


@asynccontextmanager
async def running(folder: Path, adapter: str) -> AsyncIterator[Gateway]:
    """The same *folder* again is the same gateway, restarted."""
    config = _configuration(folder, adapter)
    store = open_store(config.gateway.state_dir, config.outbox.key)
    try:
        async with asyncio.TaskGroup() as group:
            living = group.create_task(house(config, store), name="house")
            await until(lambda: _answers(config.gateway.socket))
            yield Gateway(store, config.gateway.socket)
            living.cancel()
    finally:
        store.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LONG_S):
        while not await condition():  # noqa: ASYNC110 - other programs have no event to wait for
            await asyncio.sleep(LOOK_S)


async def _answers(socket: Path) -> bool:
    try:
        await control_client.request(socket, "status")
    except control_client.Unreachable:
        return False
    return True
