"""The command as a person runs it: a process of its own, and what it said."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("hjemgate")
WAIT_S = 60.0  # no test waits for so long unless something is broken


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """What --json printed."""
        return json.loads(self.out)


async def start(
    *words: object, stdin: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        COMMAND,
        *(str(word) for word in words),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process: asyncio.subprocess.Process) -> Said:
    """What it still has to say, and how it ends; a process that does not end is ended."""
    try:
        async with asyncio.timeout(WAIT_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


async def hjemgate(*words: object, stdin: int = asyncio.subprocess.DEVNULL) -> Said:
    said = await finish(await start(*words, stdin=stdin))
    assert "Traceback" not in said.err, said.err
    return said
