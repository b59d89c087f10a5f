"""The home, the gateway, the broker and the receiver of one torture; all of them real."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway import control_client
from simulator.broker import Broker
from simulator.child import StageError
from simulator.demo_act import MEMORY, SLOTS, Household
from simulator.home import Home
from simulator.meters.meter import Habits, Measured, Meter
from simulator.pki import Authority
from tests.torture.means import Disk, Missing, WallClock, small_disk
from tests.torture.parts import Part
from tests.torture.programs import (
    GATEWAY,
    ORGANISATION,
    RECEIVER,
    configure,
    gateway,
    receiver,
)

# A session is over soon after a meter's last word; nothing waits for anybody's patience.
HABITS = Habits(awake_s=20.0, idle_s=0.7, advertising_ms=40)
PAIRING_S, LOOK_S = 60.0, 0.1
DISK_MIB, DISK_MIB_PER_KILL = 64, 0.2


class Confirmations(list[Measured]):
    """What a meter's gateway confirmed, and when the meter heard so, in time.monotonic()."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def append(self, measured: Measured, /) -> None:
        super().append(measured)
        self.at.append(time.monotonic())


@dataclass(slots=True)
class Scene:
    folder: Path
    home: Home
    broker: Broker
    gateway: Part
    receiver: Part
    household: Household
    ready: socket.socket  # where the gateway says so, as to systemd
    disk: Disk | None = None
    clock: WallClock | None = None
    missing: list[str] = field(default_factory=list)  # what this machine does not allow

    @property
    def state(self) -> Path:
        return self.disk.folder / "state" if self.disk else self.folder / "state"

    @property
    def outbox_key(self) -> Path:
        return self.folder / "outbox.key"

    @property
    def held(self) -> Path:
        """The receiver's database."""
        return self.folder / "receiver.db"

    def patient(self, meter: Meter) -> str:
        return self.household.patients[meter.driver]

    async def until_ready(self) -> None:
        """Until the gateway says READY=1, which it may have said before the last kill."""
        loop = asyncio.get_running_loop()
        while b"READY=1" not in await loop.sock_recv(self.ready, 4096):
            pass

    def forget_ready(self) -> None:
        """What a former life said."""
        try:
            while self.ready.recv(4096):
                pass
        except BlockingIOError:
            return

    async def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        return await control_client.request(self.folder / "control.sock", do, **arguments)

    async def introduce(self) -> None:
        """A technician adds the five meters and stays until each is paired. The glucose meter's
        memory is this person's.
        """
        for meter in self.home.meters:
            words: dict[str, object] = {
                "driver": meter.driver,
                "address": meter.identity.address,
                "patient": self.patient(meter),
                "slot": SLOTS.get(meter.kind),
            }
            if meter.kind == "glucose":
                words["from"] = (datetime.now(UTC) - MEMORY).isoformat()
            else:
                words["from"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
            await self.ask("devices add", **words)
            meter.wake()
        async with asyncio.timeout(PAIRING_S):
            while not await self._paired():  # noqa: ASYNC110 - another program's news
                await asyncio.sleep(LOOK_S)

    async def _paired(self) -> bool:
        devices = (await self.ask("devices"))["devices"]
        return all(each["bond"] == "just-works" for each in devices)


@asynccontextmanager
async def scene(folder: Path, kills: int) -> AsyncIterator[Scene]:
    """Everything runs, and the programs are started again whenever they end."""
    authority = Authority(folder / "certificates")
    broker = Broker(folder / "broker", authority, ORGANISATION, [GATEWAY], [RECEIVER])
    missing: list[str] = []
    async with AsyncExitStack() as running:
        disk, clock = None, None
        try:
            size = DISK_MIB + int(DISK_MIB_PER_KILL * kills)
            disk = await running.enter_async_context(small_disk(folder, size))
        except Missing as reason:
            missing.append(str(reason))
        try:
            clock = WallClock(folder)
        except Missing as reason:
            missing.append(str(reason))
        await running.enter_async_context(broker)
        home = await running.enter_async_context(Home(folder / "air.sock", HABITS))
        for push in (home.cuff, home.scale, home.thermometer, home.oximeter):
            push.collected = Confirmations()
        ready = running.enter_context(_notify_socket(folder / "notify"))
        here = Scene(
            folder,
            home,
            broker,
            gateway(folder, clock, home),
            receiver(folder, broker, authority),
            Household.of_two(home.meters),
            ready,
            disk,
            clock,
            missing,
        )
        trust = "ntp" if clock else "assume"
        configure(folder, here.state, broker, authority, home.adapter, trust)
        lives = await running.enter_async_context(asyncio.TaskGroup())
        tasks = [
            lives.create_task(part.live(), name=part.name) for part in (here.gateway, here.receiver)
        ]
        await _begun(here)
        yield here
        for task in tasks:
            task.cancel()


async def _begun(here: Scene) -> None:
    try:
        async with asyncio.timeout(PAIRING_S):
            await here.until_ready()
    except TimeoutError:
        words = here.gateway.last_words[-1:] or ["nothing"]
        raise StageError(f"the gateway does not become ready; it said: {words[0]}") from None


def _notify_socket(path: Path) -> socket.socket:
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(path))
    heard.setblocking(False)
    return heard
