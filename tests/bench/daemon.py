"""Benchmarks of the gateway itself, on the fake bluetoothd and a real broker."""

import asyncio
from collections.abc import Sequence

from tests.bench import watch
from tests.bench.bare import (
    RATES,
    SETTLE_S,
    bare_latencies,
    bare_scan_shares,
    latencies,
    p50,
    scan_share,
)
from tests.bench.gateway import Gateway, add_cuff, counted_syncs, gateway, receiver
from tests.bench.proc import rss_mib, written_bytes
from tests.bench.rows import Row, series
from tests.bench.stage import Stage, pressures, stage

STARTS = 10
READINGS = 1000
DISK_READINGS = 50

READY_AIM_S = 1.5
MEMORY_AIM_MIB = {True: 75.0, False: 60.0}  # with the FHIR gate, and without
COMMIT_AIM_MS = 20.0
SCAN_AIM = {20: 1.0}


async def start() -> Sequence[Row]:
    spent = []
    async with stage() as here:
        for _ in range(STARTS):
            async with gateway(here) as ours:
                spent.append(ours.ready_s)
    return [series("start to ready", "s", spent, aim=READY_AIM_S)]


async def _collected(here: Stage, ours: Gateway, count: int, base: int = 0) -> None:
    """*count* readings more, each confirmed by the receiver."""
    await here.pour(pressures(count, start=base), interval_s=0.002)
    await here.poured()
    await watch.until(ours.outbox, watch.RECEIVED, base + count)


async def memory() -> Sequence[Row]:
    rows = []
    for gate, aim in MEMORY_AIM_MIB.items():
        name = f"resident memory, FHIR gate {'on' if gate else 'off'}"
        async with stage() as here, receiver(here), gateway(here, gate) as ours:
            await asyncio.sleep(SETTLE_S)
            rows.append(Row(f"{name}, idle", "MiB", value=rss_mib(ours.pid), aim=aim))
            await add_cuff(here, ours)
            await _collected(here, ours, READINGS)
            after = rss_mib(ours.pid)
            rows.append(Row(f"{name}, after {READINGS} readings", "MiB", value=after, aim=aim))
    return rows


async def latency() -> Sequence[Row]:
    async with stage() as here:
        bare_committed, bare_confirmed = await bare_latencies(here)
    async with stage() as here, receiver(here), gateway(here) as ours:
        await add_cuff(here, ours)
        await _collected(here, ours, 1)  # the first contact reads more than the later ones
        committed, confirmed = await latencies(here, ours.outbox, base=1)
    to_commit = series(
        "last indication to commit", "ms", committed, p50(bare_committed), COMMIT_AIM_MS
    )
    return [
        to_commit,
        series("last indication to PUBACK, marked", "ms", confirmed, p50(bare_confirmed)),
    ]


async def disk() -> Sequence[Row]:
    """One reading a session, as at home: a batch would share its fsyncs."""
    async with stage() as here, receiver(here), gateway(here) as ours:
        await add_cuff(here, ours)
        await _collected(here, ours, 1)
        before = written_bytes(ours.pid)
        async with counted_syncs(here.folder, ours.pid) as syncs:
            for base in range(1, DISK_READINGS + 1):
                await _collected(here, ours, 1, base)
        written = written_bytes(ours.pid) - before
    return [
        Row("written to disk for one reading", "KiB", value=written / DISK_READINGS / 1024),
        Row("fsyncs for one reading", "", value=syncs.count / DISK_READINGS),
    ]


async def scan() -> Sequence[Row]:
    async with stage() as here:
        bare = await bare_scan_shares(here)
        async with gateway(here) as ours:
            await add_cuff(here, ours)  # with nobody to listen for it need not scan
            shares = {rate: await scan_share(here, ours.pid, rate) for rate in RATES}
    return [
        Row(
            f"processor at {rate} advertisements/s",
            "% cpu",
            value=share,
            bare=bare[rate],
            aim=SCAN_AIM.get(rate),
        )
        for rate, share in shares.items()
    ]
