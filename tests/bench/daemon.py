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
from tests.bench.gateway import Gateway, add_cuff, counted_syncs, gateway
from tests.bench.proc import rss_mib, written_bytes
from tests.bench.receiver import receiver
from tests.bench.rows import Row, series
from tests.bench.stage import CUFF, CUFFS, Stage, pressures, stage

STARTS = 10
READINGS = 1000
ROUNDS = 4  # one reading of each cuff
DRAIN = 200
KIB = 1024

READY_AIM_S = 1.5
MEMORY_AIM_MIB = {True: 75.0, False: 60.0}  # with the FHIR gate, and without
COMMIT_AIM_MS = 20.0
DISK_AIM_KIB, DRAIN_AIM_KIB = 128.0, 64.0  # over the whole life of a reading: an SD card wears
SCAN_AIM = {20: 1.0}


async def start() -> Sequence[Row]:
    spent = []
    async with stage() as here:
        for _ in range(STARTS):
            async with gateway(here) as ours:
                spent.append(ours.ready_s)
    return [series("start to ready", "s", spent, aim=READY_AIM_S)]


async def _collected(
    here: Stage, ours: Gateway, count: int, base: int = 0, cuff: str = CUFF
) -> None:
    """*count* readings more in one session, each confirmed by the receiver."""
    await here.pour(pressures(count, start=base), interval_s=0.002, cuff=cuff)
    await here.poured()
    await here.parted()
    await watch.until(ours.outbox, watch.RECEIVED, base + count)


async def memory() -> Sequence[Row]:
    rows = []
    for gate, aim in MEMORY_AIM_MIB.items():
        name = f"resident memory, FHIR gate {'on' if gate else 'off'}"
        async with stage() as here, receiver(here), gateway(here, gate) as ours:
            await asyncio.sleep(SETTLE_S)
            rows.append(Row(f"{name}, idle", "MiB", value=rss_mib(ours.pid), aim=aim))
            await add_cuff(ours)
            await _collected(here, ours, READINGS)
            after = rss_mib(ours.pid)
            rows.append(Row(f"{name}, after {READINGS} readings", "MiB", value=after, aim=aim))
    return rows


async def latency() -> Sequence[Row]:
    async with stage() as here:
        bare_committed, bare_confirmed = await bare_latencies(here)
    async with stage() as here, receiver(here), gateway(here) as ours:
        await add_cuff(ours)
        await _collected(here, ours, 1)  # the first contact reads more than the later ones
        committed, confirmed = await latencies(here, ours.outbox, base=1)
    to_commit = series(
        "last indication to commit", "ms", committed, p50(bare_committed), COMMIT_AIM_MS
    )
    return [
        to_commit,
        series("  the bare script", "ms", bare_committed),
        series("last indication to PUBACK, marked", "ms", confirmed, p50(bare_confirmed)),
        series("  the bare script", "ms", bare_confirmed),
    ]


async def disk() -> Sequence[Row]:
    """One reading a session, as at home: a batch would share its fsyncs. And then a batch."""
    async with stage() as here, receiver(here), gateway(here) as ours:
        for base, cuff in enumerate(CUFFS):  # the first contact writes more than the later ones
            await add_cuff(ours, cuff)
            await _collected(here, ours, 1, base, cuff)
        alone = ROUNDS * len(CUFFS)
        async with counted_syncs(here.folder, ours.pid) as syncs:
            before = written_bytes(ours.pid)
            for base in range(len(CUFFS), len(CUFFS) + alone):
                # In turns, for a meter that was read has a rest.
                await _collected(here, ours, 1, base, CUFFS[base % len(CUFFS)])
            written = written_bytes(ours.pid) - before
        async with counted_syncs(here.folder, ours.pid) as drain_syncs:
            before = written_bytes(ours.pid)
            await _collected(here, ours, DRAIN, len(CUFFS) + alone)
            drained = written_bytes(ours.pid) - before
    return [
        Row("written for one reading alone", "KiB", written / alone / KIB, aim=DISK_AIM_KIB),
        Row("fsyncs for one reading alone", "", syncs.count / alone),
        Row(f"written for one of {DRAIN}", "KiB", drained / DRAIN / KIB, aim=DRAIN_AIM_KIB),
        Row(f"fsyncs for one of {DRAIN}", "", drain_syncs.count / DRAIN),
    ]


async def scan() -> Sequence[Row]:
    async with stage() as here:
        bare = await bare_scan_shares(here)
        async with gateway(here) as ours:
            await add_cuff(ours)  # with nobody to listen for it need not scan
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
