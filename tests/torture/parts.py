"""A program that dies without warning and is started again, as systemd would."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RESTART_S = 0.1  # systemd would wait for some seconds; here every life is to be a short one
LOOK_S = 0.01
STOP_S = 8.0  # a gateway promises to end within 5
WORDS = 1500  # of its log, when it ended by itself


@dataclass(slots=True)
class Life:
    """From start to end, in time.monotonic()."""

    begun: float
    ended: float | None = None
    killed: bool = False  # by us, or it ended by itself


class Part:
    """Python with *arguments*, behind *prefix*; `live` starts it as often as it ends.

    Not before it is *gone* for others as well: what it said last is of that life, and no later one.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        gone: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name, self.log, self._gone = name, log, gone
        self.lives: list[Life] = []
        self.last_words: list[str] = []  # of each life that ended by itself
        self._command = [*prefix, sys.executable, *arguments]
        self._environment = os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False
        self._begun = asyncio.Event()

    async def live(self) -> None:
        """Until `stop`. Cancelled, it ends what runs."""
        try:
            while not self._ending:
                await self._once()
                while not self._gone():  # noqa: ASYNC110 - others have no event for that
                    await asyncio.sleep(LOOK_S)
                await asyncio.sleep(RESTART_S)
        finally:
            await self.stop()

    async def _once(self) -> None:
        said = self.log.stat().st_size if self.log.exists() else 0
        life = Life(time.monotonic())
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self._environment,
            )
        self.lives.append(life)
        self._begun.set()
        await self._process.wait()
        if life.ended is None:
            life.ended = time.monotonic()
        if not life.killed and not self._ending:
            self.last_words.append(self._words_since(said))

    def kill(self) -> bool:
        """SIGKILL; whether there was somebody to kill."""
        if self._process is None or self._process.returncode is not None:
            return False
        life, now = self.lives[-1], time.monotonic()
        try:
            os.kill(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has ended, and nobody has told us yet
            return False
        life.killed, life.ended = True, now
        self._begun.clear()
        return True

    async def started_again(self) -> None:
        """After a kill: until it lives."""
        await self._begun.wait()

    async def stop(self) -> None:
        """End it as an administrator would, and for good."""
        self._ending = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _words_since(self, offset: int) -> str:
        with self.log.open("rb") as log:
            log.seek(max(offset, self.log.stat().st_size - WORDS))
            return log.read().decode("utf-8", "replace").strip()
