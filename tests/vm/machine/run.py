"""Run a command in the machine: its console is printed here, its exit status comes back."""

import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.vm.machine.build import Machine

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_S = 60  # to the command and, after it, to the end; 10 s on an idle computer
NO_ANSWER = 70
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


def run(machine: Machine, command: Sequence[str], out: Path, limit_s: int) -> int:
    """Do *command* in there, as root, in this folder; *out* is /out to it.

    The machine has all files of this one, to read; what it writes elsewhere than in /out is
    forgotten. Nothing reaches it from the network. NO_ANSWER if it did not end by itself.
    """
    shutil.copy(HERE / "guest.sh", out)
    (out / "job").write_text(_job(machine, command, limit_s), "utf-8")
    with subprocess.Popen(
        _qemu(machine, out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        watch = threading.Timer(limit_s + START_S, process.kill)
        watch.start()
        try:
            _show(process)
        finally:
            watch.cancel()
            process.kill()
    status = out / "status"
    return int(status.read_text()) if status.exists() else NO_ANSWER


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


def _show(process: "subprocess.Popen[bytes]") -> None:
    """Print the console as it comes, in pieces: pytest's dots are no whole lines."""
    assert process.stdout is not None
    while octets := process.stdout.read1(4096):  # type: ignore[attr-defined] # BufferedReader
        sys.stdout.write(octets.decode("utf-8", "replace").replace("\r", ""))
        sys.stdout.flush()
