"""A small disk that can be filled, and a wall clock that can be stepped; both need root.

Nothing of the machine is touched: the disk is a file that is mounted, the clock that of one
process alone (libfaketime, which leaves CLOCK_BOOTTIME and CLOCK_MONOTONIC as they are), and the
flag of systemd-timesyncd stands in a /run that only this process sees.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

MIB = 1 << 20
BLOCK = 4096
FAKETIME = "faketime/libfaketime.so.1"  # below the multiarch folder of Debian
FLAG = "systemd/timesync/synchronized"
CACHE_S = 1  # libfaketime looks at its file so often; each time at every call costs too much
IN_PRIVATE = 'mount --bind "$0" /run && exec "$@"'


class Missing(Exception):
    """This machine does not let us; the text says what."""


class Disk:
    """A mounted file; `folder` is its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.full: list[tuple[float, float]] = []  # when, in time.monotonic()
        self._since = 0.0

    def fill(self) -> None:
        """To the last block, as somebody else's log would."""
        self._since = time.monotonic()
        with (self.folder / "ballast").open("ab") as ballast:
            size, piece = 0, MIB << 10
            while piece >= BLOCK:
                try:
                    os.posix_fallocate(ballast.fileno(), size, piece)
                    size += piece
                except OSError:
                    piece //= 2

    def free(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)
        if self._since:
            self.full.append((self._since, time.monotonic()))
            self._since = 0.0

    def was_full(self, moment: float) -> bool:
        return any(since <= moment <= until for since, until in self.full)


@asynccontextmanager
async def small_disk(folder: Path, mebibytes: int) -> AsyncIterator[Disk]:
    """An ext4 of that size. Raises Missing."""
    if os.geteuid() != 0:
        raise Missing("no full disk: only root may mount one")
    image, root = folder / "disk.img", folder / "disk"
    root.mkdir()
    with image.open("wb") as file:
        file.truncate(mebibytes * MIB)
    await _done("mkfs.ext4", "-q", "-m", "0", str(image))
    await _done("mount", "-o", "loop", str(image), str(root))
    try:
        yield Disk(root)
    finally:
        with suppress(Missing):  # somebody looks at it still: then later
            await _done("umount", "--lazy", str(root))
        image.unlink()


class WallClock:
    """What the gateway takes for the time; right, and said to be synchronised, at first."""

    def __init__(self, folder: Path) -> None:
        self._library = _library()
        self._run = folder / "run"
        self._offset = folder / "clock"
        self._flag = self._run / FLAG
        self._lost = 0  # how often
        self._flag.parent.mkdir(parents=True)
        self._write(timedelta(0))
        self._flag.touch()

    @property
    def prefix(self) -> Sequence[str]:
        words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", IN_PRIVATE)
        return (*words, str(self._run))

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": str(CACHE_S),
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            # Python waits by the monotonic clock; "corrected", each hand-over of its lock takes ms.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    @property
    def right(self) -> bool:
        return self._flag.exists()

    def lose(self, ahead: timedelta) -> None:
        """Wrong by that much, and nobody has synchronised it yet."""
        self._lost += 1
        self._flag.unlink(missing_ok=True)
        self._write(ahead)

    async def synchronise(self) -> None:
        """Stepped first, then said so: the order of systemd-timesyncd. Not said if it is lost again
        in between.
        """
        if self.right:
            return
        lost = self._lost
        self._write(timedelta(0))
        await asyncio.sleep(2.0 * CACHE_S)
        if lost == self._lost:
            self._flag.touch()

    def _write(self, ahead: timedelta) -> None:
        whole = self._offset.with_suffix(".new")
        whole.write_text(f"{int(ahead.total_seconds()):+d}\n", "ascii")
        whole.replace(self._offset)


def _library() -> Path:
    if os.geteuid() != 0:
        raise Missing("no clock steps: only root may give a process a /run of its own")
    found = next(iter(sorted(Path("/usr/lib").glob(f"*/{FAKETIME}"))), None)
    if found is None:
        raise Missing("no clock steps: libfaketime is not installed (apt install faketime)")
    return found


async def _done(*words: str) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        raise Missing(f"no full disk: {words[0]} is not installed") from None
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise Missing(f"no full disk: {complaint.decode(errors='replace').strip()}")
