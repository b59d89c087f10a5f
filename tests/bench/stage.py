"""Where a benchmark plays: a private bus with a fake bluetoothd and a cuff, a broker over TLS."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from simulator.broker import Broker
from simulator.pki import Authority, Identity
from tests.bench.proc import environment
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus

GATEWAY = "gw-bench00000"
RECEIVER = "receiver-1"
ORGANISATION = "bench"
CUFF = "C0:11:22:33:44:55"
MEASUREMENT = "2a35"
CUFFS = (CUFF, *(f"C0:11:22:33:44:{last:02X}" for last in range(0x60, 0x67)))
ON_DISK = "/var/tmp"  # noqa: S108  # /tmp may be memory (Debian 13), where an fsync costs nothing
# BlueZ renews a bonded meter's subscription by itself when it connects. What the meter sends before
# the client's own StartNotify is heard by nobody: a matter for the listener, not for a benchmark.
AFTER_S = 0.5
HANG_UP_S = 0.3
STOP_S = 8.0  # the gateway promises to end within 5

Process = asyncio.subprocess.Process


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    bus: str
    bluez: FakeBluez
    broker: Broker
    gateway: Identity
    receiver: Identity

    @property
    def environment(self) -> dict[str, str]:
        return environment(**{ENVIRONMENT: self.bus})

    async def pour(
        self,
        frames: Sequence[bytes],
        interval_s: float = 0.0,
        hang_up_s: float | None = HANG_UP_S,
        cuff: str = CUFF,
    ) -> None:
        """The cuff has these to give, and hangs up that long after the last; None: never."""
        await self.bluez.do(
            "pour",
            address=cuff,
            characteristic=MEASUREMENT,
            frames=[frame.hex() for frame in frames],
            after_s=AFTER_S,
            interval_s=interval_s,
            hang_up_s=hang_up_s,
        )

    async def poured(self, patience_s: float = 120.0) -> list[int]:
        """Monotonic nanoseconds at which each frame of a pour went out, once all have."""
        async with asyncio.timeout(patience_s):
            sent: list[int] = (await self.bluez.event("poured", patience_s))["sent_ns"]
        return sent

    async def parted(self) -> None:
        """The cuff has hung up after its pour: only then may it be given another."""
        await self.bluez.event("disconnected")


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    with TemporaryDirectory(prefix="bench-", dir=ON_DISK) as name:
        folder = Path(name)
        authority = Authority(folder / "pki")
        gateway, receiver = authority.client(GATEWAY), authority.client(RECEIVER)
        broker = Broker(folder / "broker", authority, ORGANISATION, [GATEWAY], [RECEIVER])
        async with private_bus() as bus, fake_bluez(bus) as bluez, broker:
            for address in CUFFS:
                await bluez.do("meter", **cuff(address))
            yield Stage(folder, bus, bluez, broker, gateway, receiver)


def _local_now() -> datetime:
    return datetime.now(ZoneInfo("Europe/Copenhagen"))


def _date_time(moment: datetime) -> bytes:
    """Date Time (0x2A08): year, month, day, hours, minutes, seconds."""
    return moment.year.to_bytes(2, "little") + bytes(
        (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    )


def cuff(address: str) -> dict[str, Any]:
    """What the fake bluetoothd is told of it."""
    now = _local_now()
    current_time = _date_time(now) + bytes((now.isoweekday(), 0, 0))
    return {
        "address": address,
        "name": "BENCH-CUFF",
        "services": {
            "1810": {MEASUREMENT: {"flags": ["indicate"]}},
            "180a": {
                "2a29": {"flags": ["read"], "value": b"Bench".hex()},
                "2a23": {"flags": ["read"], "value": _system_id(address).hex()},
            },
            "1805": {"2a2b": {"flags": ["read", "write"], "value": current_time.hex()}},
            "180f": {"2a19": {"flags": ["read"], "value": "5a"}},
        },
    }


def _system_id(address: str) -> bytes:
    return b"\x01\x00\x00\x01\x00" + bytes.fromhex(address.replace(":", ""))[3:]


def pressures(count: int, start: int = 0) -> list[bytes]:
    """Blood Pressure Measurements (0x2A35) of now, each with other numbers than the rest."""
    stamp = _date_time(_local_now())
    frames = []
    for number in range(start, start + count):
        systolic, diastolic, pulse = 100 + number % 90, 60 + number // 90 % 30, 50 + number // 2700
        numbers = b"".join(n.to_bytes(2, "little") for n in (systolic, diastolic, 80))
        frames.append(b"\x06" + numbers + stamp + pulse.to_bytes(2, "little"))
    return frames


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[Process]:
    """Ends *process*, and no other, when the body is done."""
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
