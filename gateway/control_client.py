"""The other end of the control socket, for commands; it knows nothing of the gateway's rooms.

`status = await request(path, "status")`, and `async for told in watch(path): ...`
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ANSWER_S = 30.0  # the daemon answers from its tables; longer means that it hangs
LONGEST_ANSWER = 1 << 26  # octets in a line: a list of rows may be long
NOT_RUNNING = "start it with `systemctl start hjemgate`, or with `hjemgate run`"


class Unreachable(Exception):
    """Nobody answers; the text names the cure."""


class Refused(Exception):
    """The daemon said no; the text says why, `code` is the exit status for a command."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


async def request(path: Path, do: str, **details: object) -> dict[str, Any]:
    """The daemon's answer; details that are None are left out. Raises Unreachable and Refused."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await _connect(path)
            try:
                return await _ask(reader, writer, do, details)
            finally:
                writer.transport.abort()
    except TimeoutError as error:
        words = f"the gateway does not answer within {ANSWER_S:.0f} s: see its log"
        raise Unreachable(words) from error


class Conversation:
    """A question that is answered by many lines, and may be answered back."""

    def __init__(
        self, first: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.first = first  # the answer to the question itself
        self._reader, self._writer = reader, writer

    def say(self, **facts: object) -> None:
        self._writer.write(json.dumps(facts).encode() + b"\n")

    async def lines(self) -> AsyncGenerator[dict[str, Any], None]:
        """What follows, until the daemon has no more to say or ends."""
        while (line := await _line(self._reader)) is not None:
            yield line


@asynccontextmanager
async def conversation(path: Path, do: str, **details: object) -> AsyncIterator[Conversation]:
    """Raises Unreachable and Refused. To leave the block is to leave the daemon."""
    reader, writer = await _connect(path)
    try:
        yield Conversation(await _ask(reader, writer, do, details), reader, writer)
    finally:
        writer.transport.abort()


async def watch(path: Path, after: int | None = None) -> AsyncGenerator[dict[str, Any], None]:
    """The answer to the question, then steps of journeys as they happen, while the daemon runs.

    Steps after the one numbered *after*; None: from now on. Raises Unreachable and Refused.
    """
    async with conversation(path, "watch", after=after) as told:
        yield told.first
        async for line in told.lines():
            yield line["step"]


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(str(path), limit=LONGEST_ANSWER)
    except PermissionError as error:
        words = f"{path}: only root and the gateway's own user may ask: use sudo"
        raise Unreachable(words) from error
    except OSError as error:
        words = f"the gateway is not running ({path}: {error.strerror or error}): {NOT_RUNNING}"
        raise Unreachable(words) from error


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, do: str, details: dict[str, Any]
) -> dict[str, Any]:
    question = {"do": do} | {key: value for key, value in details.items() if value is not None}
    writer.write(json.dumps(question).encode() + b"\n")
    answer = await _line(reader)
    if answer is None:
        raise Unreachable(f"the gateway ended before it answered: {NOT_RUNNING}")
    if answer.get("ok") is not True:
        raise Refused(str(answer.get("error")), int(answer.get("exit", 1)))
    return answer


async def _line(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """None: the daemon has ended."""
    try:
        line = await reader.readline()
    except ConnectionError:
        return None
    return json.loads(line) if line.endswith(b"\n") else None
