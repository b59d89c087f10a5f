"""Benchmarks of bare scripts: the same libraries, one thing at a time, none of the promises."""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt

from gateway.contract import Topics
from tests.bench import watch
from tests.bench.proc import processor_share
from tests.bench.rows import Row, percentile, series
from tests.bench.stage import (
    CUFF,
    GATEWAY,
    ON_DISK,
    ORGANISATION,
    Process,
    Stage,
    pressures,
    running,
    stage,
)

RATES = (20, 100)  # advertisements a second: a quiet house, a block of flats
SCAN_S = 15.0
SETTLE_S = 2.0
COMMITS = 500
PUBLISHES = 300
INDICATIONS = 200
INTERVAL_S = 0.05  # longer than any one reading takes, so that each is the last


async def start(stage: Stage, module: str, *arguments: str, **more: str) -> Process:
    """*more*: of the environment."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.bench.{module}",
        *arguments,
        env=stage.environment | more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def scan_share(stage: Stage, pid: int, rate: int) -> float:
    """The share of a processor, in percent, that *pid* takes while strangers advertise."""
    await stage.bluez.do("strangers", per_second=rate)
    await asyncio.sleep(SETTLE_S)
    with processor_share(pid) as share:
        await asyncio.sleep(SCAN_S)
    await stage.bluez.do("strangers", per_second=0)
    return share.percent


async def bare_scan_shares(stage: Stage) -> dict[int, float]:
    process = await start(stage, "bare_scan")
    async with running(process):
        assert process.stdout is not None
        await process.stdout.readline()
        return {rate: await scan_share(stage, process.pid, rate) for rate in RATES}


async def scan() -> Sequence[Row]:
    async with stage() as here:
        shares = await bare_scan_shares(here)
    return [
        Row(f"bare bleak scan, {rate} advertisements/s", "% cpu", value=share)
        for rate, share in shares.items()
    ]


def _commit_ms(path: Path) -> list[float]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE frames (id INTEGER PRIMARY KEY, octets BLOB) STRICT")
    spent = []
    for frame in pressures(COMMITS):
        started = time.perf_counter_ns()
        connection.execute("INSERT INTO frames (octets) VALUES (?)", (frame,))
        spent.append((time.perf_counter_ns() - started) / 1e6)
    connection.close()
    return spent


async def commit() -> Sequence[Row]:
    with TemporaryDirectory(prefix="bench-", dir=ON_DISK) as folder:
        spent = await asyncio.to_thread(_commit_ms, Path(folder) / "bare.db")
    return [series("bare SQLite insert and commit, fsync each", "ms", spent)]


async def imports() -> Sequence[Row]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare_imports", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    rows, total_mib, total_ms = [], 0.0, 0.0
    for line in said.splitlines():
        fact = json.loads(line)
        rows.append(Row(f"import {fact['module']}", "MiB", value=fact["mib"]))
        rows.append(Row(f"import {fact['module']}", "ms", value=fact["ms"]))
        total_mib, total_ms = total_mib + fact["mib"], total_ms + fact["ms"]
    total = [Row("all imports", "MiB", value=total_mib), Row("all imports", "ms", value=total_ms)]
    return rows + total


async def publish() -> Sequence[Row]:
    topic, body, spent = Topics(ORGANISATION, GATEWAY).observation, b"x" * 6000, []
    async with stage() as here, _client(here) as client:
        for _ in range(PUBLISHES):
            started = time.perf_counter_ns()
            await client.publish(topic, body, qos=1)
            spent.append((time.perf_counter_ns() - started) / 1e6)
    return [series("bare aiomqtt publish to PUBACK, TLS", "ms", spent)]


def _client(here: Stage) -> aiomqtt.Client:
    return aiomqtt.Client(
        here.broker.host,
        here.broker.port,
        identifier=GATEWAY,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_params=aiomqtt.TLSParameters(
            ca_certs=str(here.broker.ca),
            certfile=str(here.gateway.certificate),
            keyfile=str(here.gateway.key),
        ),
    )


async def latencies(here: Stage, database: Path, base: int) -> tuple[list[float], list[float]]:
    """Milliseconds from each indication to its commit and to its marked PUBACK.

    Somebody must be collecting into *database*, with *base* rows so far.
    """
    async with asyncio.TaskGroup() as tasks:
        committed, confirmed = (
            tasks.create_task(
                asyncio.to_thread(watch.moments, database, query, base, INDICATIONS), name=query
            )
            for query in (watch.COMMITTED, watch.CONFIRMED)
        )
        await here.pour(pressures(INDICATIONS, start=base), INTERVAL_S)
        sent = await here.poured()
    return (
        [(at - then) / 1e6 for at, then in zip(committed.result(), sent, strict=True)],
        [(at - then) / 1e6 for at, then in zip(confirmed.result(), sent, strict=True)],
    )


async def bare_latencies(here: Stage) -> tuple[list[float], list[float]]:
    database = here.folder / "bare.db"
    process = await start(
        here,
        "bare_collect",
        CUFF,
        str(database),
        str(here.broker.port),
        str(here.broker.ca),
        str(here.gateway.certificate),
        str(here.gateway.key),
        GATEWAY,
        Topics(ORGANISATION, GATEWAY).observation,
    )
    async with running(process):
        await here.pour(pressures(1), hang_up_s=None)
        await watch.until(database, watch.CONFIRMED, 1)
        await here.poured()
        return await latencies(here, database, base=1)


async def latency() -> Sequence[Row]:
    async with stage() as here:
        committed, confirmed = await bare_latencies(here)
    return [
        series("bare script, indication to commit", "ms", committed),
        series("bare script, indication to PUBACK", "ms", confirmed),
    ]


def p50(values: Sequence[float]) -> float:
    return percentile(values, 50)
