"""A Python program of this checkout as a process of its own, with a log file, ended by its id."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

STOP_S = 8.0  # a gateway promises to end within 5
LOOK_S = 0.05


class StageError(Exception):
    """Something of the scenery did not start, or ended; the text says what, and its last words."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: asyncio.subprocess.Process
    log: Path

    def check(self) -> None:
        """Raises StageError if it has ended."""
        if self.process.returncode is not None:
            raise StageError(
                f"{self.name} ended with status {self.process.returncode}; it said:\n{self.said()}"
            )

    def said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-1500:].strip() or "(nothing)"


@asynccontextmanager
async def child(name: str, arguments: Sequence[str], log: Path) -> AsyncIterator[Child]:
    """Python with *arguments*. A session of its own: Ctrl-C at a terminal reaches us alone."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield Child(name, process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def finished(*arguments: str) -> str:
    """What Python with *arguments* prints. Raises StageError if it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, complained = await process.communicate()
    finally:
        await _end(process)
    if process.returncode != 0:
        raise StageError(f"{' '.join(arguments)} failed: {complained.decode().strip()}")
    return told.decode()
