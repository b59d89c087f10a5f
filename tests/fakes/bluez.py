"""The handle to a fake bluetoothd that runs as its own process."""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.private_bus import ENVIRONMENT

LONGEST_LINE = 1 << 20  # a pour of thousands of frames tells the moment of each
ANSWER_S = 10.0  # a process that says nothing for so long has died or hangs


class Refused(Exception):
    """The order cannot be carried out."""


class FakeBluez:
    """Gives orders to the process (see `tests.fakes.fake_bluez`) and hears what happened."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._events: deque[dict[str, Any]] = deque()

    async def do(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Carry out *order*; returns its answer. Raises Refused."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": order, **arguments}).encode() + b"\n")
        while True:
            said = await self._line()
            if said.get("done") == order:
                return said
            if said.get("failed") == order:
                raise Refused(said["why"])
            self._events.append(said)

    async def event(self, name: str, patience_s: float = ANSWER_S) -> dict[str, Any]:
        """The next event of that name, from now or from before; others are passed over."""
        while True:
            said = self._events.popleft() if self._events else await self._line(patience_s)
            if said.get("event") == name:
                return said

    async def die(self) -> None:
        """Vanish from the bus without a word, as a killed bluetoothd does."""
        self._process.kill()
        await self._process.wait()

    def freeze(self) -> None:
        """Answer nobody any more; `thaw` ends it."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def _line(self, patience_s: float = ANSWER_S) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(patience_s):
            line = await self._process.stdout.readline()
        if not line:
            raise Refused("the fake bluetoothd has ended")
        said: dict[str, Any] = json.loads(line)
        return said


@asynccontextmanager
async def fake_bluez(bus_address: str) -> AsyncIterator[FakeBluez]:
    """Run a fake bluetoothd on that bus; it owns org.bluez when this yields."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.fake_bluez",
        env=os.environ | {ENVIRONMENT: bus_address},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    bluez = FakeBluez(process)
    try:
        await bluez.event("ready")
        yield bluez
    finally:
        assert process.stdin is not None
        process.stdin.close()  # its input ends, and so does it
        await process.communicate()
