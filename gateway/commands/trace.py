"""`hjemgate trace`: where one reading has been, and when."""

import argparse
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.commands import talk
from gateway.commands.command import OK, Command, print_json
from gateway.commands.tables import when
from gateway.commands.talk import Facts
from gateway.words import traced


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "reading", metavar="ID", help="its public id, or how that begins, or its row, such as r12"
    )
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    answer = talk.ask(args, "trace", reading=args.reading)
    if args.json:
        print_json({"reading": answer["reading"], "steps": answer["steps"]})
        return OK
    zone, reading = ZoneInfo(answer["zone"]), answer["reading"]
    for name, words in _head(reading, zone):
        print(f"{name + ':':10}{words}")
    print()
    for step in answer["steps"]:
        at = datetime.fromisoformat(step["at"]).astimezone(zone)
        print(f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}  {_words(step)}")
    return OK


def _head(reading: Facts, zone: ZoneInfo) -> list[tuple[str, str]]:
    number = "" if reading["seq"] is None else f", number {reading['seq']}"
    measured = when(reading["measured"], zone)
    lines = [
        ("reading", f"{reading['id'] or 'without a name yet'} ({reading['row']})"),
        ("meter", f"{reading['meter']} {reading['address']}"),
        ("measured", "cannot be known" if measured == "-" else measured),
        ("version", f"{reading['version']}{number}"),
        ("now", ": ".join(each for each in (reading["state"], reading["reason"]) if each)),
    ]
    if reading["purged"]:
        lines.append(("purged", "its contents are gone, and most of its steps with them"))
    return lines


def _words(step: Facts) -> str:
    return traced(step["step"], step["detail"])


TRACE = Command(
    "trace",
    "the journey of one reading, step by step",
    _arguments,
    _run,
    """\
Shows when a reading came from its meter, what was done with it, each time that
it was sent, and what broker and receivers have said. No values and no names.
Backend and gateway know it by the same id.""",
    "example: hjemgate trace 5f0c3b57\n         hjemgate trace r12",
)
