"""`hjemgate demo`: a home and its care team, and what becomes of every reading.

Exit status 0 if each reading stands exactly once at the receiver, as it was measured, and the
gateway knows that; 1 if not.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from gateway.control_client import Refused, Unreachable
from simulator.broker import BrokerError
from simulator.child import StageError
from simulator.demo_act import Choices, Household, go_on, perform
from simulator.demo_end import Outcome, as_json, blood_pressure, table
from simulator.demo_story import Story
from simulator.stage import BUNDLES, OBSERVER, ORGANISATION, RECEIVER_PROGRAM, Stage, stage

TROUBLE = (StageError, BrokerError, Unreachable, Refused)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    folder: Path
    choices: Choices
    keep: bool = False
    as_json: bool = False
    receiver_program: Sequence[str] = RECEIVER_PROGRAM


@dataclass(slots=True)
class Ended:
    """How it ended, as far as it came."""

    outcome: Outcome | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return self.outcome is not None and not self.complaints


async def demonstrate(order: Order, out: TextIO, ended: Ended) -> None:
    """Set everything up, let people measure, tell *out* of it, prove it, take everything down."""
    print("Setting up a home and its care team, with nothing but this machine.", file=out)
    async with stage(order.folder, order.receiver_program) as here:
        household = Household.of_two(here.home.meters)
        story = Story(out, household.patients)
        ended.outcome = await perform(here, story, household, order.choices)
        ended.complaints += ended.outcome.complaints
        _conclude(here, ended.outcome, out)
        if order.keep:
            print(_look_around(here), file=out, flush=True)
            await go_on(here, story)


def _conclude(here: Stage, outcome: Outcome, out: TextIO) -> None:
    count = sum(row.measured for row in outcome.tallies)
    bundle = blood_pressure(here.held)
    print(f"\n{table(outcome.tallies)}\n", file=out)
    print(f"The Bundles that the receiver holds, a file each: {here.bundles}\n", file=out)
    if bundle is not None:
        print(f"The first blood pressure among them:\n\n{bundle}\n", file=out)
    if not outcome.complaints:
        print(
            f"All {count} readings stand exactly once at the receiver, as they were measured, with"
            "\nthe right time and the right patient; and the gateway knows it.",
            file=out,
        )
    out.flush()


def _look_around(here: Stage) -> str:
    broker, identity = here.broker, here.observer
    return f"""
Life goes on until you press Ctrl-C. Look around from another terminal (mosquitto_sub is in
Debian's mosquitto-clients):

  ./dev hjemgate status  --config {here.configuration}
  ./dev hjemgate devices --config {here.configuration}
  ./dev hjemgate watch   --config {here.configuration}
  mosquitto_sub -h {broker.host} -p {broker.port} -V 5 -i {OBSERVER} \\
    --cafile {broker.ca} \\
    --cert {identity.certificate} \\
    --key {identity.key} \\
    -t 'hjemgate/1/{ORGANISATION}/#' -v
"""


class _Command:
    name = "demo"
    help = "a whole home on this machine, and what becomes of its readings"
    text = """\
Starts five virtual meters, a real gateway, a real broker and a receiver on this
machine, lets people measure, tells what happens to every reading, and proves at
the end that each stands exactly once at the receiver, as it was measured.
Nothing leaves this machine. Exit code 1 if anything is not as promised."""
    example = "example: hjemgate demo --outage"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--outage", action="store_true", help="take the broker away in the middle, and back"
        )
        parser.add_argument(
            "--keep", action="store_true", help="leave everything running until Ctrl-C"
        )
        parser.add_argument(
            "--fast", action="store_true", help="without the pauses for reading along"
        )
        parser.add_argument(
            "--json",
            action="store_true",
            dest="as_json",
            help="print the result for programs; the story goes to stderr",
        )

    def run(self, args: argparse.Namespace) -> int:
        folder = Path(tempfile.mkdtemp(prefix="hjemgate-demo-"))
        choices = Choices(outage=args.outage, fast=args.fast)
        order = Order(folder, choices, args.keep, args.as_json)
        return play(order, sys.stderr if order.as_json else sys.stdout)


def play(order: Order, out: TextIO) -> int:
    """The exit status. What was started is gone when this returns."""
    return asyncio.run(_until_told(order, out))


async def _until_told(order: Order, out: TextIO) -> int:
    ended = Ended()
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(demonstrate(order, out, ended), name="demo")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, playing.cancel)
    try:
        await playing
    except* TROUBLE as trouble:
        ended.complaints = [str(error) for error in _each(trouble)]
    except* asyncio.CancelledError:
        if ended.outcome is None:
            ended.complaints = ["it was ended before it was done"]
    _answer(order, ended, out)
    return 0 if ended.well else 1


def _answer(order: Order, ended: Ended, out: TextIO) -> None:
    if ended.complaints:
        print("\nNOT AS PROMISED:", file=out)
        print("\n".join(f"  {complaint}" for complaint in ended.complaints), file=out)
    print(f"\nEverything is stopped. What it wrote stays in {order.folder}", file=out)
    if order.as_json:
        rows = ended.outcome.tallies if ended.outcome else ()
        print(as_json(rows, ended.complaints, order.folder / BUNDLES))


def _each(errors: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error)
        else:
            yield error


COMMAND = _Command()
