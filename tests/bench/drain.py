"""Ten thousand readings that waited for their broker, to their receipts; beside mosquitto_pub."""

import asyncio
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from gateway.contract import Topics
from gateway.outbox import delivery
from tests.bench import watch
from tests.bench.gateway import gateway
from tests.bench.proc import children, cpu_ns, thread_ns, written_bytes
from tests.bench.receiver import receiver
from tests.bench.rows import Row
from tests.bench.stage import GATEWAY, ORGANISATION, Stage, stage
from tests.outbox.house import NOON, House, cuff

READINGS = 10_000
SESSION = 200  # readings that a meter gives at a time
PATIENCE_S = 600.0
TIMES_AIM = 20.0  # mosquitto_pub's time, with the receiver's check, commit and receipt in ours
KIB = 1024


async def drain() -> Sequence[Row]:
    async with stage() as here:
        folder = here.folder / "waiting"
        bodies = await _rendered(folder / "state", READINGS)
        lines = here.folder / "lines"
        lines.write_bytes(b"".join(body + b"\n" for body in bodies))
        bare = [await _mosquitto_pub(here, lines)]
        async with receiver(here) as other_end, gateway(here, folder=folder) as ours:
            await watch.until(ours.outbox, watch.CONFIRMED, 1)
            assert here.broker.pid is not None
            pids = {"gateway": ours.pid, "receiver": other_end.pid, "broker": here.broker.pid}
            done = watch.count(ours.outbox, watch.RECEIVED)
            before, written = _spent(pids), written_bytes(ours.pid)
            started = time.monotonic()
            await watch.until(ours.outbox, watch.RECEIVED, READINGS, PATIENCE_S)
            spent_s, count = time.monotonic() - started, READINGS - done
            after, written = _spent(pids), written_bytes(ours.pid) - written
        bare.append(await _mosquitto_pub(here, lines))
    bare_ms = sum(bare) / len(bare) * 1000 / READINGS
    ours_ms = spent_s * 1000 / count
    return [
        Row("drain to receipts", "readings/s", 1000 / ours_ms, bare=1000 / bare_ms),
        Row("  its time, in those of mosquitto_pub", "", ours_ms / bare_ms, aim=TIMES_AIM),
        Row("  one reading, from end to end", "ms", ours_ms, bare=bare_ms),
        *(
            Row(
                f"  processor time of one: {name}", "ms", (after[name] - before[name]) / 1e6 / count
            )
            for name in before
        ),
        Row("  written for one", "KiB", written / count / KIB),
    ]


async def _rendered(state: Path, count: int) -> list[bytes]:
    """An outbox in which that many readings wait; their Bundles."""
    house = House(state, gateway=GATEWAY)
    device = await house.meter()
    for first in range(0, count, SESSION):
        numbers = range(first, min(first + SESSION, count))
        taken = [(100 + n % 90, NOON - timedelta(minutes=n)) for n in numbers]
        await house.session(device, [cuff(systolic, at) for systolic, at in taken])
        await house.settle()
    bodies = [each.body for each in await house.store(delivery.due, house.now(), count)]
    house.close()
    if len(bodies) != count:
        raise RuntimeError(f"of {count} readings {len(bodies)} wait for the broker")
    return bodies


async def _mosquitto_pub(here: Stage, lines: Path) -> float:
    """Seconds that Mosquitto's own client takes to the last PUBACK: QoS 1, TLS, one connection.

    To a topic that nobody listens to: the receiver would have to reject each.
    """
    options = {
        "-h": here.broker.host,
        "-p": str(here.broker.port),
        "-i": GATEWAY,
        "-V": "mqttv5",
        "-q": "1",
        "-t": Topics(ORGANISATION, GATEWAY).reply,
        "--cafile": str(here.broker.ca),
        "--cert": str(here.gateway.certificate),
        "--key": str(here.gateway.key),
    }
    with lines.open("rb") as source:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            "mosquitto_pub",
            "-l",
            *(word for pair in options.items() for word in pair),
            stdin=source,
            stderr=subprocess.DEVNULL,
        )
        if await process.wait() != 0:
            raise RuntimeError("mosquitto_pub failed")
    return time.monotonic() - started


def _spent(pids: Mapping[str, int]) -> dict[str, int]:
    """Processor time so far, nanoseconds: of the event loop, and of the threads beside it."""
    spent = {}
    for name, pid in pids.items():
        threads = thread_ns(pid)
        loop = threads.pop(pid)
        spent[f"{name}'s event loop" if threads else name] = loop
        if threads:
            spent[f"{name}'s disk"] = sum(threads.values())
        if started := children(pid):
            spent[f"{name}'s checkers"] = sum(map(cpu_ns, started))
    return spent
