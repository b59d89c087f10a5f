"""A home, a broker and a care team on this machine; gateways and receivers that come and go."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from backend.receiver import Receiver
from backend.settings import Settings
from backend.store import Store as ReceiverStore
from backend.store import StoredReading, open_database, readings
from gateway import control_client
from gateway.config import Config, load
from gateway.daemon import house
from gateway.outbox.store import Store, open_store
from simulator.broker import Broker
from simulator.home import Home
from simulator.meters.meter import Habits, Meter
from simulator.pki import Authority

GATEWAY = "gw-0123456789"
ORGANISATION = "org1"
ANNA = "urn:uuid:11111111-2222-4333-8444-555555555555"
SLOTS = {"blood-pressure": 1, "weight": 1}  # the virtual meters that name their user
LONG_S = 60.0  # no test waits for as long as this unless something is broken
LOOK_S = 0.05
# Meters that hang up soon after their last word: a session is then over without a silence.
BRISK = Habits(awake_s=20.0, idle_s=0.3, advertising_ms=20)

CONFIGURATION = """\
[gateway]
id = "{gateway}"
organisation = "{organisation}"
state_dir = "{folder}/state"
socket = "{folder}/control.sock"

[broker]
host = "{host}"
port = {port}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
backoff_cap_s = 0.3
resend_s = 1
resend_cap_s = 1

[outbox]
key = "{folder}/outbox.key"

[radio]
backend = "bumble"
adapter = "{adapter}"

[clock]
trust = "assume"

[fhir]
gate = false
simulated = true
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One that runs in this process. Its rows are there to be looked at."""

    store: Store
    socket: Path

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store(lambda db: db.execute(sql).fetchall())

    async def until_states(self, **expected: int) -> None:
        """Until there are so many readings in these states, and none in others."""
        await self.until(
            "SELECT state, count(*) FROM readings GROUP BY state ORDER BY state",
            sorted(expected.items()),
        )

    async def until(self, sql: str, expected: list[tuple[Any, ...]]) -> None:
        """Until the rows are these."""
        rows: list[tuple[Any, ...]] = []
        try:
            async with asyncio.timeout(LONG_S):
                while (rows := await self.rows(sql)) != expected:  # noqa: ASYNC110 - rows have none
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"expected {expected}, got {rows}") from None


class Scene:
    """The scenery. The broker is not started, nobody receives, and no gateway runs."""

    def __init__(self, folder: Path, habits: Habits = BRISK, records: int = 20) -> None:
        self.folder = folder
        self.home = Home(folder / "hci", habits, records)
        self.authority = Authority(folder / "pki")
        self.broker = Broker(folder / "broker", self.authority, ORGANISATION, [GATEWAY])
        self.configuration = folder / "gateway.toml"
        identity = self.authority.client(GATEWAY)
        self.configuration.write_text(
            CONFIGURATION.format(
                gateway=GATEWAY,
                organisation=ORGANISATION,
                folder=folder,
                host=self.broker.host,
                port=self.broker.port,
                ca=self.broker.ca,
                certificate=identity.certificate,
                key=identity.key,
                adapter=self.home.adapter,
            )
        )

    async def __aenter__(self) -> Self:
        await self.home.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.broker.stop()
        await self.home.__aexit__(*raised)

    @property
    def config(self) -> Config:
        return load(self.configuration)

    @property
    def socket(self) -> Path:
        return self.config.gateway.socket

    def opened(self) -> Store:
        """The gateway's outbox, while no gateway runs."""
        return open_store(self.config.gateway.state_dir, self.config.outbox.key)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Gateway]:
        """The whole daemon, in this process."""
        store = self.opened()
        try:
            async with asyncio.TaskGroup() as group:
                living = group.create_task(house(self.config, store), name="house")
                await answers(self.socket)
                yield Gateway(store, self.socket)
                living.cancel()
        finally:
            store.close()

    @property
    def receiving(self) -> Settings:
        identity = self.authority.client("receiver-1")
        return Settings(
            host=self.broker.host,
            port=self.broker.port,
            ca=self.broker.ca,
            certificate=identity.certificate,
            key=identity.key,
            store=self.folder / "receiver.db",
            organisation=ORGANISATION,
            by="receiver-1",
            reconnect_cap_s=0.2,
        )

    def trust(self) -> ssl.SSLContext:
        """The receiver's way to the broker."""
        settings = self.receiving
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_verify_locations(settings.ca)
        tls.load_cert_chain(settings.certificate, settings.key)
        return tls

    @asynccontextmanager
    async def receiver(self) -> AsyncIterator[None]:
        """The care team's end; it stays on its own when the broker goes."""
        settings = self.receiving
        store = ReceiverStore(open_database(settings.store))
        try:
            async with asyncio.TaskGroup() as group:
                receiving = group.create_task(
                    Receiver(settings, store, self.trust()).run(), name="receiver"
                )
                yield
                receiving.cancel()
        finally:
            store.close()

    async def add(self, *meters: Meter) -> None:
        """Tell the gateway whose these are, for a year already."""
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

    async def status(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The status document, once it is as *wanted*."""
        async with asyncio.timeout(LONG_S):
            while True:
                answer = await control_client.request(self.socket, "status")
                if wanted(answer["status"]):
                    return dict(answer["status"])
                await asyncio.sleep(LOOK_S)

    async def introduced(self, meter: Meter) -> None:
        """Until the gateway has bonded with *meter* and knows who it is."""
        short = meter.identity.address[-5:]

        def bonded(status: dict[str, Any]) -> bool:
            return any(
                each["device"].endswith(short) and each["bond"] == "bonded"
                for each in status["devices"]
            )

        await self.status(bonded)

    def held(self) -> list[StoredReading]:
        """What the receiver has."""
        path = self.folder / "receiver.db"
        return list(readings(path)) if path.exists() else []

    async def until_held(self, count: int) -> list[StoredReading]:
        await until(lambda: len(self.held()) >= count)
        return self.held()


async def until(condition: Callable[[], bool], look_s: float = LOOK_S) -> None:
    """Rows of another program have no event to wait for."""
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110 - as the sentence above says
            await asyncio.sleep(look_s)


async def answers(socket: Path) -> None:
    """Until the gateway there answers on its control socket."""
    async with asyncio.timeout(LONG_S):
        while True:
            try:
                await control_client.request(socket, "status")
            except control_client.Unreachable:
                await asyncio.sleep(LOOK_S)
            else:
                return
