"""Benchmarks of an outbox with a million rows beside one with hardly any."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from drivers.api import Frame
from gateway.outbox import frames, sessions
from gateway.outbox.facts import facts
from tests.bench import watch
from tests.bench.gateway import add_cuff, gateway
from tests.bench.proc import rss_mib
from tests.bench.rows import Row, percentile, series
from tests.bench.stage import CUFFS, GATEWAY, Stage, pressures, stage
from tests.outbox.growth import grow, one_received
from tests.outbox.house import BLOOD_PRESSURE, House

ROWS = 1_000_000
COMMITS = 500
LOOKS = 20
READINGS = 100
GROWTH_AIM = 1.1


async def million() -> Sequence[Row]:
    async with stage() as here:
        few, many = here.folder / "few", here.folder / "many"
        for folder in (few, many):
            await one_received(folder / "state", GATEWAY)
        await asyncio.to_thread(grow, many / "state" / "outbox.db", ROWS)
        rows = await _in_turns(few / "state", many / "state")
        for name, unit, aim, few_s, many_s in zip(
            *zip(
                ("start to ready", "s", None),
                ("resident memory, idle", "MiB", GROWTH_AIM),
                (f"resident memory, {READINGS} readings later", "MiB", GROWTH_AIM),
                strict=True,
            ),
            await _of_daemon(here, few),
            await _of_daemon(here, many),
            strict=True,
        ):
            limit = None if aim is None else few_s * aim
            rows.append(Row(f"{name}, {ROWS:,} rows", unit, many_s, bare=few_s, aim=limit))
    return rows


async def _in_turns(few: Path, many: Path) -> list[Row]:
    """One commit here, one there: whatever else the disk does, it does to both."""
    houses = [House(state, gateway=GATEWAY) for state in (few, many)]
    commits: list[list[float]] = [[], []]
    looks: list[list[float]] = [[], []]
    (device,) = (await houses[0].rows("SELECT id FROM devices"))[0]
    assert isinstance(device, int)
    opened = [await house.store(sessions.begin, device, house.now()) for house in houses]
    for octets in pressures(COMMITS, start=1):
        for house, session, spent in zip(houses, opened, commits, strict=True):
            arrived = [(Frame(BLOOD_PRESSURE, octets), house.stamp())]
            started = time.perf_counter_ns()
            await house.store.urgently(frames.keep, device, session, arrived)
            spent.append((time.perf_counter_ns() - started) / 1e6)
    for _ in range(LOOKS):
        for house, spent in zip(houses, looks, strict=True):
            started = time.perf_counter_ns()
            await house.store(facts)
            spent.append((time.perf_counter_ns() - started) / 1e6)
    for house in houses:
        house.close()
    ratio = percentile(commits[1], 50) / percentile(commits[0], 50)
    return [
        series("insert to commit, an outbox with hardly any rows", "ms", commits[0]),
        series(f"insert to commit, {ROWS:,} rows", "ms", commits[1], percentile(commits[0], 50)),
        Row("  ratio of the medians", "", ratio, aim=GROWTH_AIM),
        series(f"a look at all facts, {ROWS:,} rows", "ms", looks[1], percentile(looks[0], 50)),
    ]


async def _of_daemon(here: Stage, folder: Path) -> Iterable[float]:
    """Seconds to ready; MiB idle, and after some readings."""
    async with gateway(here, folder=folder) as ours:
        await asyncio.sleep(2.0)
        idle = rss_mib(ours.pid)
        await add_cuff(ours, CUFFS[1])
        base = watch.count(ours.outbox, watch.STORED)
        await here.pour(pressures(READINGS), interval_s=0.002, cuff=CUFFS[1])
        await here.poured()
        await here.parted()
        await watch.until(ours.outbox, watch.STORED, base + READINGS)
        return ours.ready_s, idle, rss_mib(ours.pid)
