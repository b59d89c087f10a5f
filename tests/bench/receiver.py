"""The reference receiver as a benchmark sees it: a process that listens to a broker."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simulator.broker import Broker
from simulator.pki import Identity
from tests.bench.stage import ORGANISATION, RECEIVER, Process, Stage, running

READY_S = 120.0
COMMAND = Path(sys.executable).with_name("hjemgate-receiver")


@asynccontextmanager
async def receiver(stage: Stage) -> AsyncIterator[Process]:
    """So that readings are confirmed; it listens when this yields."""
    folder = stage.folder
    async with receiving(stage.broker, stage.receiver, folder, folder / "receiver.db") as process:
        yield process


@asynccontextmanager
async def receiving(
    broker: Broker,
    identity: Identity,
    folder: Path,
    store: Path | str,
    name: str = RECEIVER,
    share: str | None = None,
) -> AsyncIterator[Process]:
    """*name*: at the broker; what it says goes to a file of that name in *folder*."""
    log = folder / f"{name}.log"
    arguments = {
        "--host": broker.host,
        "--port": str(broker.port),
        "--ca": str(broker.ca),
        "--cert": str(identity.certificate),
        "--key": str(identity.key),
        "--store": str(store),
        "--org": ORGANISATION,
        "--name": name,
    }
    if share is not None:
        arguments["--share"] = share
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            "run",
            *(word for pair in arguments.items() for word in pair),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=said,
        )
    async with running(process), asyncio.timeout(READY_S) as patience:
        while "listening" not in log.read_text("utf-8"):
            if process.returncode is not None:
                said_last = log.read_text("utf-8")[-2000:]
                raise RuntimeError(f"hjemgate-receiver has ended; it said: {said_last}")
            await asyncio.sleep(0.05)
        patience.reschedule(None)
        yield process
