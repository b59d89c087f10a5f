"""`./dev vm`: build the machine of a Debian release unless it stands, and run `tests/vm` in it."""

import argparse
import platform
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.vm.machine.build import BuildError, machine
from tests.vm.machine.run import NO_ANSWER, run

RELEASES = ("bookworm", "trixie")
LIMIT_S = 900  # for all scenarios; they take a tenth of it on an idle computer
UNAVAILABLE, ENDED = 69, 143
SCENARIOS = "tests/vm"
PYTEST = ("-m", "pytest", "--basetemp=/run/pytest", "-p", "no:cacheprovider", "-v")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./dev vm",
        description="Run tests/vm in a virtual machine: a real bluetoothd, virtual meters.",
        epilog="All other arguments are pytest's, e.g. -k glucose, or a file in tests/vm.",
    )
    parser.add_argument(
        "--release",
        choices=RELEASES,
        default=RELEASES[0],
        help="the Debian whose kernel and bluetoothd to take (default: %(default)s)",
    )
    args, passed_on = parser.parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))  # not without ending the machine
    began = time.monotonic()
    if platform.machine() != "x86_64":
        print("dev vm: needs an x86-64 computer", file=sys.stderr)
        return UNAVAILABLE
    try:
        built = machine(args.release)
    except BuildError as error:
        print(f"dev vm: {error}", file=sys.stderr)
        return UNAVAILABLE
    ready = time.monotonic()
    out = Path(tempfile.mkdtemp(prefix="hjemgate-vm-"))
    colour = f"--color={'yes' if sys.stdout.isatty() else 'no'}"
    where = () if any(each.startswith(SCENARIOS) for each in passed_on) else (SCENARIOS,)
    command = [sys.executable, *PYTEST, colour, *where, *passed_on]
    status = run(built, command, out, LIMIT_S)
    if status == NO_ANSWER:
        print("dev vm: the machine gave no answer", file=sys.stderr)
    if status:
        print(f"dev vm: its logs are in {out}", file=sys.stderr)
    else:
        shutil.rmtree(out)
    print(
        f"dev vm: {args.release}: machine ready after {ready - began:.0f} s,"
        f" tests over after {time.monotonic() - began:.0f} s, exit status {status}"
    )
    return status


sys.exit(main())
