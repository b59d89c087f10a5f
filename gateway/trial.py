"""What was in hand when the program died is tried in a process of its own, before it is handled.

Reading octets and making a Bundle are pure: a trial changes nothing. If the other process dies of
it as well, nobody needs to guess any more; if it does not, the program was killed for other reasons
(a power cut, an administrator, want of memory), and the row goes its way.
"""

import asyncio
import pickle
import sys
from collections.abc import Callable, Sequence

from drivers.api import DecodeError, Frame
from drivers.registry import all_drivers
from gateway.fhir import RenderError, gate, render
from gateway.model import Record

TRIAL_S = 60.0  # a small computer loads all models in 10; a row that hangs is as bad as a crash


async def survives(step: Callable[..., None], *arguments: object) -> bool:
    """Whether *step* of a module comes to its end with these, in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.trial",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,  # a trace may quote values
    )
    try:
        async with asyncio.timeout(TRIAL_S):
            await process.communicate(pickle.dumps((step, arguments)))
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode == 0


def decode(driver: str, frames: Sequence[Frame]) -> None:
    """All that is done with octets before they are filed."""
    ours = all_drivers()[driver]
    for group in ours.group(frames):
        ours.join(group[0])
        try:
            for reading in ours.decode(group):
                ours.key(group, reading)
        except DecodeError:
            continue


def bundle(records: Sequence[Record], with_gate: bool) -> None:
    """All that is done with readings before their Bundles are stored."""
    for record in records:
        try:
            body = render(record)
            if with_gate:
                gate.parse(body)
        except RenderError:
            continue


def _main() -> None:
    step, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent wrote it
    step(*arguments)


if __name__ == "__main__":
    _main()
