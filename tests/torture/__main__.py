"""`./dev torture [--kills N] [--seed S]`: kill everything at random, then count the readings."""

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.torture.end import Result, judged, notes, settle, windows
from tests.torture.scene import Scene, scene
from tests.torture.trouble import Count, Trouble, people

# Not /tmp: it may be memory (Debian 13), and the disk is to be one.
ON_DISK = "/var/tmp"  # noqa: S108 - a folder of our own is made in it
MEAN_S = 1.5  # between two measurements with one meter
BAR = 40
COMPLAINTS = 20  # printed at most
TICK_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="./dev torture",
        description="Kill gateway, broker and receiver at random moments, cut links, fill the disk"
        " and step the clock, while people measure; then count. Exit status 1 if a reading is"
        " lost, doubled, or has the wrong person or time.",
    )
    parser.add_argument("--kills", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seed", help="repeats the same lots; default: a fresh one, printed")
    parser.add_argument(
        "--keep", action="store_true", help="leave logs and databases behind, as after a failure"
    )
    chosen = parser.parse_args(arguments)
    seed = chosen.seed or secrets.token_hex(4)
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=ON_DISK))
    print(f"./dev torture --kills {chosen.kills} --seed {seed}", flush=True)
    # Packets to those who have just been killed, and from them: there is no other news in that.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    well = asyncio.run(_until_told(folder, chosen.kills, seed))
    if well and not chosen.keep:
        shutil.rmtree(folder)
    else:
        print(f"files: {folder}", file=sys.stderr)
    return 0 if well else 1


async def _until_told(folder: Path, kills: int, seed: str) -> bool:
    """SIGTERM as well ends everything that was started."""
    loop = asyncio.get_running_loop()
    torture = loop.create_task(_torture(folder, kills, seed), name="torture")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, torture.cancel)
    try:
        return await torture
    except asyncio.CancelledError:
        print("\nended before it was done", file=sys.stderr)
        return False


async def _torture(folder: Path, kills: int, seed: str) -> bool:
    count = Count(kills)
    async with scene(folder, kills) as here:
        await here.introduce()
        async with asyncio.TaskGroup() as group:
            measuring = group.create_task(people(here, seed, MEAN_S), name="people")
            bar = group.create_task(_bar(count), name="progress bar")
            await Trouble(here, seed, count).all()
            measuring.cancel()
            bar.cancel()
        print("\nThe trouble is over; what waits is collected and sent.", file=sys.stderr)
        whole = await settle(here)
        await here.gateway.stop()
        await here.receiver.stop()
        shutil.copytree(here.state, folder / "state-at-the-end")
        result = await judged(here)
        _tell(here, count, result, whole)
    return result.well


def _tell(here: Scene, count: Count, result: Result, whole: bool) -> None:
    for line in notes(here, count):
        print(line)
    for line in result.notes:
        print(line)
    if result.windows_ms:
        print(windows(result))
    if result.parked_by_crash:
        print(f"parked as what the program died of: {result.parked_by_crash}")
    if not whole:
        print("not everything was sent in time")
    for complaint in result.verdict.complaints[:COMPLAINTS]:
        print(f"  {complaint}")
    print(result.line(), flush=True)


async def _bar(count: Count) -> None:
    """On a terminal one line that grows; elsewhere a line for every tenth."""
    begun, told = time.monotonic(), 0
    while True:
        done = min(1.0, count.killed / count.wanted)
        spent = time.monotonic() - begun
        words = (
            f"[{'#' * int(BAR * done):{BAR}}] {count.killed} of {count.wanted} kills, {spent:.0f} s"
        )
        if sys.stderr.isatty():
            print(f"\r{words}", end="", file=sys.stderr, flush=True)
        elif int(10 * done) > told:
            told = int(10 * done)
            print(words, file=sys.stderr, flush=True)
        await asyncio.sleep(TICK_S)


sys.exit(main())
