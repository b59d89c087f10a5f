"""Talk with the person at the terminal while other things go on; or with a program."""

import asyncio
import json
import sys

from gateway.commands.command import FAILED, USAGE, fail


class Dialogue:
    """Facts on standard output, questions on standard error, answers from standard input."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.present = sys.stdin.isatty()
        self._reader: asyncio.StreamReader | None = None

    def say(self, kind: str, words: str, /, **facts: object) -> None:
        """One line for people, or one object for programs."""
        if self._as_json:
            print(json.dumps({"kind": kind, **facts}, ensure_ascii=False), flush=True)
        else:
            print(words, flush=True)

    def mutter(self, words: str) -> None:
        """What no program needs to know."""
        print(words, file=sys.stderr, flush=True)

    async def ask(self, question: str) -> str:
        """What was typed, without spaces around it. Raises Failure when nobody is there."""
        print(question, end=" ", file=sys.stderr, flush=True)
        line = await (await self._lines()).readline()
        if not line:
            fail("nothing was typed", FAILED)
        return line.decode(errors="replace").strip()

    async def number(self, question: str, highest: int) -> int:
        while True:
            typed = await self.ask(question)
            if typed.isdecimal() and 1 <= int(typed) <= highest:
                return int(typed)
            self.mutter(f"expected a number from 1 to {highest}")

    def must_be_there(self, needed: str) -> None:
        """Raises Failure when nobody is there to ask."""
        if not self.present:
            fail(f"nobody is here to ask: {needed}", USAGE)

    async def _lines(self) -> asyncio.StreamReader:
        if self._reader is None:
            self._reader = asyncio.StreamReader()
            reader = self._reader
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
            )
        return self._reader
