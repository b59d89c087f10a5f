"""From a Record to a Bundle: rendered alone, and parsed by the gate as well."""

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from gateway.fhir import gate, render
from tests.bench.rows import Row, percentile, series
from tests.fhir.records import CASES

KINDS = ("blood-pressure", "glucose-with-context", "weight", "temperature", "oximetry")
TIMES = 300


async def bundle() -> Sequence[Row]:
    gate.load()
    alone: dict[str, list[float]] = {kind: [] for kind in KINDS}
    gated: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(TIMES):
        for kind in KINDS:  # in turns: whatever else the machine does, it does to all
            record = replace(CASES[kind], id=UUID(int=number))
            started = time.perf_counter_ns()
            body = render(record)
            rendered = time.perf_counter_ns()
            gate.parse(body)
            parsed = time.perf_counter_ns()
            alone[kind].append((rendered - started) / 1e6)
            gated[kind].append((parsed - started) / 1e6)
    return [
        row
        for kind in KINDS
        for row in (
            series(f"Bundle of {kind}", "ms", alone[kind]),
            series("  with the gate's parse", "ms", gated[kind], percentile(alone[kind], 50)),
        )
    ]
