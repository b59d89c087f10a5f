"""The gateway as a benchmark sees it: a process with a configuration, a socket and a file."""

import asyncio
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.stage import (
    CUFF,
    GATEWAY,
    ORGANISATION,
    STOP_S,
    Process,
    Stage,
    running,
)

READY_S = 120.0  # an outbox of a million rows is read through at the start
LOOK_S = 0.002  # the resolution of its readiness
UNIT = {"MALLOC_ARENA_MAX": "1"}  # as packaging/hjemgate.service has it
COMMAND = Path(sys.executable).with_name("hjemgate")

CONFIGURATION = """[gateway]
id = "{gateway}"
organisation = "{organisation}"
state_dir = "{folder}/state"
socket = "{folder}/control.sock"

[broker]
host = "{host}"
port = {port}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"

[outbox]
key = "{folder}/state/outbox.key"
quota_mib = 4096

[clock]
trust = "assume"

[fhir]
gate = {gate}
simulated = true
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    process: Process
    configuration: Path
    outbox: Path
    ready_s: float  # from the start of the process to READY=1

    @property
    def pid(self) -> int:
        return self.process.pid


@asynccontextmanager
async def gateway(
    stage: Stage, gate: bool = True, folder: Path | None = None
) -> AsyncIterator[Gateway]:
    """`hjemgate run` with an outbox of its own; ready when this yields, gone when it returns.

    *folder*: where an outbox is already, in `state`.
    """
    folder = folder or stage.folder / f"gateway-{time.monotonic_ns()}"
    folder.mkdir(exist_ok=True)
    configuration = folder / "gateway.toml"
    configuration.write_text(
        CONFIGURATION.format(
            gateway=GATEWAY,
            organisation=ORGANISATION,
            folder=folder,
            host=stage.broker.host,
            port=stage.broker.port,
            ca=stage.broker.ca,
            certificate=stage.gateway.certificate,
            key=stage.gateway.key,
            gate=str(gate).lower(),
        ),
        "utf-8",
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(folder / "notify"))
        notify.setblocking(False)
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            "run",
            "--config",
            configuration,
            env=stage.environment | UNIT | {"NOTIFY_SOCKET": str(folder / "notify")},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        async with running(process):
            await _until_ready(notify, process, folder / "log")
            ready_s = time.monotonic() - started
            yield Gateway(process, configuration, folder / "state" / "outbox.db", ready_s)


async def _until_ready(notify: socket.socket, process: Process, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.returncode is None:
        try:
            if b"READY=1" in notify.recv(4096):
                return
        except BlockingIOError:
            await asyncio.sleep(LOOK_S)
    raise RuntimeError(f"hjemgate run is not ready; it said: {_last_words(log)}")


def _last_words(log: Path) -> str:
    return log.read_text("utf-8")[-2000:]


async def add_cuff(ours: Gateway, cuff: str = CUFF) -> None:
    arguments = {
        "--config": str(ours.configuration),
        "--driver": "sig_blood_pressure",
        "--address": cuff,
        "--patient": "urn:uuid:5cf4d0a2-0000-4000-8000-00000000be4c",
    }
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "devices",
        "add",
        *(word for pair in arguments.items() for word in pair),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0:
        raise RuntimeError("hjemgate devices add failed")


# strace -c: % time, seconds, usecs/call, calls, errors (may be empty), syscall.
STRACE_COUNT = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$", re.MULTILINE
)


class Syncs:
    """Filled when the span has ended."""

    count: int = 0


@asynccontextmanager
async def counted_syncs(folder: Path, pid: int) -> AsyncIterator[Syncs]:
    """How often *pid* asks the disk to be sure, by strace. It slows *pid* down."""
    summary, syncs = folder / "strace", Syncs()
    tracer = await asyncio.create_subprocess_exec(
        "strace",
        "-f",
        "-c",
        "-e",
        "trace=fsync,fdatasync",
        "-o",
        summary,
        "-p",
        str(pid),
        stderr=asyncio.subprocess.PIPE,
    )
    assert tracer.stderr is not None
    await tracer.stderr.readline()  # "Process ... attached"
    try:
        yield syncs
    finally:
        tracer.terminate()
        async with asyncio.timeout(STOP_S):
            await tracer.communicate()
    syncs.count = sum(int(calls) for calls in STRACE_COUNT.findall(summary.read_text("ascii")))
