"""What the kernel knows of a process."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KIB_PER_MIB = 1024


def rss_mib(pid: int) -> float:
    """Resident memory now."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / KIB_PER_MIB
    raise ProcessLookupError(f"process {pid} has no memory: it has ended")


def cpu_ns(pid: int) -> int:
    """Time on a processor of all its living threads; finer than the ticks of /proc/PID/stat."""
    return sum(thread_ns(pid).values())


def thread_ns(pid: int) -> dict[int, int]:
    """The same, thread by thread; the first has the number of the process."""
    spent = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread may end between the two
            spent[int(task.name)] = int((task / "schedstat").read_text("ascii").split()[0])
    return spent


def children(pid: int) -> list[int]:
    """Of its first thread: those that it has started and that live."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(word) for word in text.split()]


def written_bytes(pid: int) -> int:
    """Octets that it caused to be sent to the disk."""
    for line in Path(f"/proc/{pid}/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise ProcessLookupError(f"process {pid} has no input and output")


class Share:
    """Filled when the span has ended."""

    percent: float = 0.0


@contextmanager
def processor_share(pid: int) -> Iterator[Share]:
    """The share of one processor that *pid* takes while the body runs."""
    share, before, started = Share(), cpu_ns(pid), time.monotonic_ns()
    yield share
    share.percent = 100 * (cpu_ns(pid) - before) / (time.monotonic_ns() - started)


def environment(**more: str) -> dict[str, str]:
    return os.environ | more
