"""`hjemgate scan`: which meters are heard now, and which driver reads them."""

import argparse
import asyncio
import json
from pathlib import Path

from gateway.commands import talk
from gateway.commands.command import OK, Command
from gateway.commands.talk import Facts
from gateway.control_client import conversation
from gateway.words import meter


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=int, default=30, metavar="N", help="how long (default: %(default)s)"
    )
    parser.add_argument(
        "--all", action="store_true", help="also devices that no driver of this version reads"
    )
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    with talk.failures():
        asyncio.run(_scan(talk.socket_of(args), args.seconds, args.all, args.json))
    return OK


async def _scan(path: Path, seconds: int, everybody: bool, as_json: bool) -> None:
    seen: dict[str, Facts] = {}
    async with conversation(path, "scan", seconds=seconds, all=everybody) as told:
        async for line in told.lines():
            if "heard" not in line:
                break
            heard = line["heard"]
            news = heard["address"] not in seen
            seen[heard["address"]] = heard
            if as_json and news:
                print(json.dumps(heard, ensure_ascii=False), flush=True)
            elif news:
                print(described(heard), flush=True)
    if not seen and not as_json:
        print(
            f"Nothing was heard in {seconds} s. A meter advertises only for a while after a"
            " measurement, or in pairing mode."
        )


def described(heard: Facts) -> str:
    """One line for a device that is heard: address, name, strength, what reads it."""
    strength = "" if heard["rssi"] is None else f"{heard['rssi']} dBm"
    fits = ", ".join(f"{meter(name)} ({name})" for name in heard["drivers"]) or "no driver"
    known = ", registered" if heard["registered"] else ""
    return f"{heard['address']}  {heard['name'] or '-':20}  {strength:>8}  {fits}{known}"


SCAN = Command(
    "scan",
    "the meters that are heard now",
    _arguments,
    _run,
    """\
Listens beside the running gateway, and prints each meter when it is first
heard: address, name, signal strength, the driver that reads it. Readings go on.
Nothing of what is heard is kept. --json prints one JSON object in each line.""",
    "example: hjemgate scan --seconds 60",
)
