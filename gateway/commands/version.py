"""`hjemgate version`."""

import argparse
from importlib.metadata import version

from gateway.commands.command import OK, Command, print_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print it for programs")


def _run(args: argparse.Namespace) -> int:
    if args.json:
        print_json({"version": version("hjemgate")})
    else:
        print(f"hjemgate {version('hjemgate')}")
    return OK


VERSION = Command(
    "version", "print the version", _arguments, _run, example="example: hjemgate version --json"
)
