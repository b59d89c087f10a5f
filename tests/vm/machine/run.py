"""Run a command in a machine: its console can be printed here, its exit status comes back."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.vm.machine.build import Machine

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_S = 60  # to the command and, after it, to the end; 10 s on an idle computer
NO_ANSWER = 70
READ_AT_ONCE = 65_536
LOOK_S = 0.2
MARK = "hjemgate.vm"  # on the kernel's command line: this is the machine

# Never KVM: it may be there and yet not work, in a machine that is virtual itself. Never
# "microvm": without KVM it hangs early, in one start of three.
QEMU = (
    *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "q35", "-cpu", "max"),
    *("-smp", "1", "-m", "1536", "-nodefaults", "-no-user-config", "-no-reboot"),
    *("-display", "none", "-serial", "stdio", "-device", "virtio-rng-pci"),
)
# A kernel that stumbles ends at once: it would go on with locks that nobody gives back.
KERNEL_LINE = f"console=ttyS0 quiet oops=panic panic=-1 random.trust_cpu=on mitigations=off {MARK}"


@dataclass(frozen=True, slots=True)
class Run:
    """One that was started. `out` is /out to it, `console` what it says."""

    process: "subprocess.Popen[bytes]"
    out: Path
    console: Path
    ends_at: float  # by time.monotonic()

    @property
    def status(self) -> int:
        """Of its command, once it has ended; NO_ANSWER if the machine ended otherwise."""
        told = self.out / "status"
        return int(told.read_text("ascii")) if told.exists() else NO_ANSWER

    def show(self) -> None:
        """Print the console as it comes, until the end."""
        with self.console.open("rb") as console:
            while True:
                ended = self._ended()
                while octets := console.read(READ_AT_ONCE):
                    sys.stdout.write(octets.decode("utf-8", "replace").replace("\r", ""))
                    sys.stdout.flush()
                if ended:
                    return
                time.sleep(LOOK_S)

    def wait(self) -> None:
        """Until the end."""
        while not self._ended():
            time.sleep(LOOK_S)

    def _ended(self) -> bool:
        """A machine that is late is ended."""
        if time.monotonic() > self.ends_at:
            self.process.kill()
        return self.process.poll() is not None


@contextmanager
def started(machine: Machine, command: Sequence[str], out: Path, limit_s: int) -> Iterator[Run]:
    """Do *command* in there, as root, in this folder; it is over when this is.

    The machine has all files of this one, to read; what it writes elsewhere than in /out is
    forgotten. Nothing reaches it from the network.
    """
    shutil.copy(HERE / "guest.sh", out)
    (out / "job").write_text(_job(machine, command, limit_s), "utf-8")
    console = out / "console"
    with (
        console.open("wb") as said,
        subprocess.Popen(
            _qemu(machine, out), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        ) as process,
    ):
        try:
            yield Run(process, out, console, time.monotonic() + limit_s + START_S)
        finally:
            process.kill()


def _job(machine: Machine, command: Sequence[str], limit_s: int) -> str:
    return (
        f"export HJEMGATE_VM_TREE={shlex.quote(str(machine.tree))}\n"
        f"export COLUMNS=100 PYTHONUNBUFFERED=1\n"
        f"folder={shlex.quote(str(ROOT))}\n"
        f"limit_s={limit_s}\n"
        f"job=({shlex.join(command)})\n"
    )


def _qemu(machine: Machine, out: Path) -> list[str]:
    return [
        *QEMU,
        *("-kernel", str(machine.kernel), "-initrd", str(machine.start_disk)),
        *("-append", KERNEL_LINE),
        *_shared("root", Path("/"), ",readonly=on,multidevs=remap"),
        *_shared("out", out, ""),
    ]


def _shared(name: str, folder: Path, options: str) -> tuple[str, ...]:
    return (
        *("-fsdev", f"local,id={name},path={folder},security_model=none{options}"),
        *("-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"),
    )
