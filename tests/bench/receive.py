"""Readings to their receipts: one receiver and three, beside one that only acknowledges."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import postgres
from tests.bench.load import TOPICS, Load, load, publishes
from tests.bench.proc import children, cpu_ns, rss_mib
from tests.bench.receiver import receiving
from tests.bench.rows import Row
from tests.bench.stage import GATEWAY, ON_DISK, ORGANISATION, Process, running

READINGS = 2_000
WARM = 150  # before the watch starts: a receiver loads its models with its first Bundle
BARE_TIMES = 4  # the same packets again: a subscriber that only acknowledges is soon done
SHARE = "bench"
NAMES = ("receiver-1", "receiver-2", "receiver-3")
PATIENCE_S = 600.0
MANY, SETTLED, FULL = 100_000, 10_000, 90_000  # readings; the last: of those that waited
GROWTH_AIM = 1.05
LOOK_S = 0.5


async def receive() -> Sequence[Row]:
    with TemporaryDirectory(prefix="bench-", dir=ON_DISK) as name:
        folder = Path(name)
        made = await asyncio.to_thread(lambda: list(publishes(READINGS + WARM)))
        bare = [await _alone(folder / "before", made)]
        rows = [await _received(folder / "sqlite", made, folder / "receiver.db", 1)]
        with postgres.server(Path(ON_DISK), safe=True) as server:
            rows += [
                await _received(folder / f"postgres-{count}", made, server.database(), count)
                for count in (1, len(NAMES))
            ]
        bare.append(await _alone(folder / "after", made))
    bare_s = sum(bare) / len(bare)
    what = ("one receiver, SQLite", "one receiver, PostgreSQL", "three receivers, PostgreSQL")
    return [
        row
        for name, (spent_s, processor_ms) in zip(what, rows, strict=True)
        for row in (
            Row(f"readings to receipts: {name}", "readings/s", 1 / spent_s, bare=1 / bare_s),
            Row("  processor time of one: receivers", "ms", processor_ms),
        )
    ]


async def memory() -> Sequence[Row]:
    """Resident memory after so many of the readings that waited at the broker, and at its most."""
    with TemporaryDirectory(prefix="bench-", dir=ON_DISK) as name:
        folder = Path(name)
        async with _scene(folder, 1, folder / "receiver.db", None, waiting=True) as scene:
            gateway, (process,) = scene
            checker_mib = sum(map(rss_mib, children(process.pid)))
            seen: list[tuple[int, float]] = [(0, rss_mib(process.pid))]
            started = time.monotonic()
            while gateway.count < MANY:
                await asyncio.sleep(LOOK_S)
                seen.append((gateway.count, rss_mib(process.pid)))
            spent_s = time.monotonic() - started
            checkers_mib = sum(map(rss_mib, children(process.pid)))
    settled = next(mib for count, mib in seen if count >= SETTLED)
    end = next(mib for count, mib in seen if count >= FULL)
    figure = f"resident memory of a receiver, {MANY:,} readings waiting"
    return [
        Row(f"{figure}: at the start", "MiB", seen[0][1]),
        Row(f"  {SETTLED:,} readings later", "MiB", settled),
        Row(f"  {FULL:,} later", "MiB", end, bare=settled, aim=settled * GROWTH_AIM),
        Row("  at its most", "MiB", max(mib for _, mib in seen), bare=settled),
        Row("  its checkers: at the start", "MiB", checker_mib),
        Row("  its checkers: at the end", "MiB", checkers_mib, bare=checker_mib),
        Row("  readings to receipts", "readings/s", MANY / spent_s),
    ]


@asynccontextmanager
async def _scene(
    folder: Path, count: int, store: Path | str, share: str | None, *, waiting: bool = False
) -> AsyncIterator[tuple[Load, Sequence[Process]]]:
    """A broker of its own, so that no session of an earlier scene waits there for readings.

    *waiting*: many readings wait there before the receivers listen.
    """
    authority = Authority(folder / "pki")
    async with AsyncExitStack() as stack:
        broker = _broker(folder, authority)
        if waiting:
            _without_limit(folder)
        await stack.enter_async_context(broker)

        def start(name: str) -> AbstractAsyncContextManager[Process]:
            return receiving(broker, authority.client(name), folder, store, name, share)

        if waiting:
            async with start(NAMES[0]):
                pass  # its session is there now, and takes what is sent to it
        gateway = await stack.enter_async_context(load(broker, authority.client(GATEWAY)))
        if waiting:
            await gateway.publish(publishes(MANY))
            await gateway.taken()
        processes = [await stack.enter_async_context(start(name)) for name in NAMES[:count]]
        yield gateway, processes


def _without_limit(folder: Path) -> None:
    """The configuration of a broker that keeps whatever waits."""
    configuration = folder / "broker" / "mosquitto.conf"
    text = configuration.read_text("utf-8")
    configuration.write_text(text.replace("max_queued_messages 10000", "max_queued_messages 0"))


def _broker(folder: Path, authority: Authority) -> Broker:
    return Broker(folder / "broker", authority, ORGANISATION, [GATEWAY], NAMES)


async def _received(
    folder: Path, made: Sequence[bytes], store: Path | str, count: int
) -> tuple[float, float]:
    """Seconds to the receipt, and milliseconds on a processor in all receivers, for one reading."""
    share = SHARE if isinstance(store, str) else None
    async with asyncio.timeout(PATIENCE_S), _scene(folder, count, store, share) as scene:
        gateway, processes = scene
        await gateway.confirmed(made[:WARM])
        before = _spent_ns(processes)
        started = time.monotonic()
        await gateway.confirmed(made[WARM:])
        spent_s = time.monotonic() - started
        spent_ns = _spent_ns(processes) - before
    readings = len(made) - WARM
    return spent_s / readings, spent_ns / 1e6 / readings


def _spent_ns(processes: Sequence[Process]) -> int:
    """With the processes that they have check."""
    pids = [process.pid for process in processes]
    return sum(map(cpu_ns, [*pids, *(child for pid in pids for child in children(pid))]))


async def _alone(folder: Path, made: Sequence[bytes]) -> float:
    """Seconds for one reading from the load through the broker to Mosquitto's own client."""
    authority = Authority(folder / "pki")
    identity, count = authority.client(NAMES[0]), len(made) * BARE_TIMES
    async with asyncio.timeout(PATIENCE_S), _broker(folder, authority) as broker:
        said = folder / "said"
        options = {
            "-h": broker.host,
            "-p": str(broker.port),
            "-i": NAMES[0],
            "-V": "mqttv5",
            "-q": "1",
            "-t": TOPICS.observation,
            "-C": str(count),
            "-F": ".",
            "--cafile": str(broker.ca),
            "--cert": str(identity.certificate),
            "--key": str(identity.key),
        }
        with said.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *("stdbuf", "-oL"),  # line by line
                *("mosquitto_sub", "-d"),  # which says when it is subscribed
                *(word for pair in options.items() for word in pair),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        async with running(process), load(broker, authority.client(GATEWAY)) as gateway:
            while b"SUBACK" not in said.read_bytes():  # noqa: ASYNC110  # its file
                await asyncio.sleep(0.05)
            started = time.monotonic()
            for _ in range(BARE_TIMES):
                await gateway.publish(made)
            if await process.wait() != 0:
                raise RuntimeError("mosquitto_sub failed")
            return (time.monotonic() - started) / count
