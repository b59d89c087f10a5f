"""`hjemgate watch`: readings on their way, live."""

import argparse
import asyncio
import json
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.commands import talk
from gateway.commands.command import UNAVAILABLE, Command, fail
from gateway.commands.talk import Facts
from gateway.control_client import watch
from gateway.outbox.trail import Step
from gateway.words import line


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--after",
        type=int,
        metavar="N",
        help="begin after the step of this number (its id in --json); 0: all that is known",
    )
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    """Until Ctrl-C, or the gateway ends."""
    with talk.failures():
        asyncio.run(_follow(talk.socket_of(args), args.after, args.json))
    fail("the gateway ended", UNAVAILABLE)


async def _follow(path: Path, after: int | None, as_json: bool) -> None:
    async with aclosing(watch(path, after)) as told:
        zone = ZoneInfo((await anext(told))["zone"])
        async for step in told:
            text = json.dumps(step, ensure_ascii=False) if as_json else line(_step(step), zone)
            if text is not None:
                print(text, flush=True)


def _step(told: Facts) -> Step:
    return Step(**(told | {"at": datetime.fromisoformat(told["at"])}))


WATCH = Command(
    "watch",
    "follow readings on their way, live",
    _arguments,
    _run,
    """\
Prints what happens to readings as it happens: received, stored, sent,
confirmed. No values and no names. Ctrl-C ends it. --json prints one JSON
object in each line.""",
    "example: hjemgate watch",
)
