"""`./dev vm`: build the machine of a Debian release unless it stands, and run `tests/vm` in it."""

import argparse
import platform
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.vm.machine.build import BuildError, Machine, machine
from tests.vm.machine.run import NO_ANSWER, Run, started

RELEASES = ("bookworm", "trixie")
# Scenarios are mostly waiting for BlueZ and for meters: as many machines use two processors well.
MACHINES = 3
LIMIT_S = 1800  # for all scenarios of one machine; a tenth of it on an idle computer
UNAVAILABLE, ENDED = 69, 143
SCENARIOS = "tests/vm"
PYTEST = ("-m", "pytest", "--basetemp=/run/pytest", "-p", "no:cacheprovider", "-v")
CLOSING_LINE = re.compile(r"^=+ (.*\b(?:passed|failed|error|deselected|no tests ran)\b.*?) =+\s*$")


def main() -> int:
    args, passed_on = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))  # not without ending the machines
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
    status = _run(built, args.release, args.machines or (1 if passed_on else MACHINES), passed_on)
    print(
        f"dev vm: {args.release}: machine built after {ready - began:.0f} s,"
        f" tests over after {time.monotonic() - began:.0f} s, exit status {status}"
    )
    return status


def _arguments() -> tuple[argparse.Namespace, list[str]]:
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
    parser.add_argument(
        "--machines",
        type=int,
        metavar="N",
        help=f"share the scenarios among so many at once (default: {MACHINES}; 1 with arguments)",
    )
    return parser.parse_known_args()


def _run(built: Machine, release: str, machines: int, passed_on: Sequence[str]) -> int:
    """All scenarios, a share in each machine; 0 if all of them ended well."""
    colour = f"--color={'yes' if sys.stdout.isatty() else 'no'}"
    where = () if any(each.startswith(SCENARIOS) for each in passed_on) else (SCENARIOS,)
    command = [sys.executable, *PYTEST, colour, *where, *passed_on]
    with ExitStack() as stack:
        runs = []
        for number in range(1, machines + 1):
            out = Path(tempfile.mkdtemp(prefix="hjemgate-vm-"))
            share = [*command, f"--share={number}/{machines}"]
            runs.append(stack.enter_context(started(built, share, out, LIMIT_S)))
        for number, run in enumerate(runs, 1):
            print(f"---- {release}, machine {number} of {machines} ----", flush=True)
            run.show()
    for number, run in enumerate(runs, 1):
        print(f"{release}, machine {number} of {machines}: {_closing_line(run)}")
    return max(_tidied(run) for run in runs)


def _closing_line(run: Run) -> str:
    """What pytest said last."""
    if run.status == NO_ANSWER:
        return f"ended without an answer; logs in {run.out}"
    text = run.console.read_text("utf-8", "replace")
    found = [match[1] for match in map(CLOSING_LINE.match, text.splitlines()) if match]
    return (found or ["pytest did not come to its end"])[-1]


def _tidied(run: Run) -> int:
    status = run.status
    if status:
        print(f"dev vm: its logs are in {run.out}", file=sys.stderr)
    else:
        shutil.rmtree(run.out)
    return status


sys.exit(main())
