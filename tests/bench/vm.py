"""The benchmark that needs a real bluetoothd: `tests.bench.contact`, in the virtual machine."""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.rows import Row, percentile, series
from tests.vm.machine.build import machine
from tests.vm.machine.run import started

RELEASE = "bookworm"
LIMIT_S = 900
RATIO_AIM = 1.2


async def contact() -> Sequence[Row]:
    built = machine(RELEASE)
    out = Path(tempfile.mkdtemp(prefix="hjemgate-vm-"))
    with started(built, [sys.executable, "-m", "tests.bench.contact"], out, LIMIT_S) as run:
        await asyncio.to_thread(run.wait)
    said = run.console.read_text("utf-8", "replace")
    if run.status:
        raise RuntimeError(f"the machine ended with {run.status}; its logs are in {out}\n{said}")
    shutil.rmtree(out)
    seconds = json.loads(next(line for line in said.splitlines() if line.startswith('{"ours"')))
    ours, bare = seconds["ours"], seconds["bare"]
    ratio = percentile(ours, 50) / percentile(bare, 50)
    name = "first advertisement to commit, emulated processor"
    return [
        series(name, "s", ours, percentile(bare, 50)),
        series("  the bare script", "s", bare),
        Row("  ratio of the medians", "", value=ratio, aim=RATIO_AIM),
    ]
