"""A street for a day: thousands of strangers pass by, each under an address never heard before.

What stays behind, in the radio alone and in the whole daemon, which listen side by side.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.bench.bare import start
from tests.bench.gateway import UNIT, add_cuff, gateway
from tests.bench.proc import rss_mib
from tests.bench.rows import Row
from tests.bench.stage import CUFF, CUFFS, Process, cuff, running, stage

ADDRESSES = 20_000
PER_SECOND = 250
WARM = 1_000  # the first hundreds fill the tables that are bounded, and the allocator's pools
LOOK_S = 0.5
PATIENCE_S = 900.0
GROWTH_AIM = 1.05


async def soak() -> Sequence[Row]:
    async with stage() as here, gateway(here) as daemon:
        await add_cuff(daemon, CUFFS[1])  # one that sleeps; without any the daemon need not scan
        await here.bluez.do("meter", **cuff(CUFF), bonded=True)
        await here.bluez.do("awake", address=CUFF, on=True)
        radio = await start(here, "soak_radio", str(here.folder), CUFF, **UNIT)
        async with running(radio):
            assert radio.stdout is not None
            await radio.stdout.readline()
            await here.bluez.do("strangers", per_second=PER_SECOND, fresh_every=1)

            async def after(count: int) -> tuple[dict[str, int], float, float]:
                async with asyncio.timeout(PATIENCE_S):
                    while (await here.bluez.do("state"))["strangers"] < count:  # noqa: ASYNC110
                        await asyncio.sleep(LOOK_S)
                return await _ask(radio), rss_mib(radio.pid), rss_mib(daemon.pid)

            before, radio_before, daemon_before = await after(WARM)
            then, radio_then, daemon_then = await after(WARM + ADDRESSES)
    heard, ours = (then[each] - before[each] for each in ("heard", "ours"))
    if heard < ADDRESSES or not ours:
        raise RuntimeError(f"of {ADDRESSES} strangers {heard} were heard, and our meter {ours}x")
    rows = [
        Row(f"{name}, {ADDRESSES:,} addresses later", "MiB", now, bare=was, aim=was * GROWTH_AIM)
        for name, was, now in (
            ("resident, radio alone", radio_before, radio_then),
            ("resident, daemon", daemon_before, daemon_then),
        )
    ]
    tasks, tables, objects = (
        Row(f"  {name} in the radio", "", then[name], bare=before[name])
        for name in ("tasks", "tables", "objects")
    )
    return [*rows, replace(tasks, aim=before["tasks"]), tables, objects]


async def _ask(radio: Process) -> dict[str, Any]:
    assert radio.stdin is not None
    assert radio.stdout is not None
    radio.stdin.write(b"\n")
    answer: dict[str, Any] = json.loads(await radio.stdout.readline())
    return answer
