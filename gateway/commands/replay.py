"""`hjemgate replay`: once more what a receiver has confirmed, and lost."""

import argparse

from gateway.commands import talk
from gateway.commands.command import OK, Command, print_json
from gateway.commands.tables import count
from gateway.commands.talk import Facts

FACTS = ("again", "waiting", "gone", "void")


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--first", type=int, metavar="N", help="from this number (seq) on")
    what.add_argument(
        "--since", metavar="WHEN", help="what was confirmed since then: 2026-11-25T08:30"
    )
    parser.add_argument("--last", type=int, metavar="N", help="with --first: up to this number")
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    answer = talk.ask(args, "replay", first=args.first, last=args.last, since=args.since)
    if args.json:
        print_json({name: answer[name] for name in FACTS})
    else:
        _print(answer)
    return OK


def _print(answer: Facts) -> None:
    print(f"{count(answer['again'], 'reading goes', 'readings go')} out again.")
    if answer["waiting"]:
        print(f"{answer['waiting']} more are on their way already.")
    for name, why in (
        ("gone", "their contents are purged"),
        ("void", "nothing is sent under these numbers any more"),
    ):
        if spans := answer[name]:
            print(f"Not {', '.join(_span(*span) for span in spans)}: {why}.")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


REPLAY = Command(
    "replay",
    "send readings again that were confirmed",
    _arguments,
    _run,
    """\
For a receiver that has lost what it had confirmed: the same octets go out once
more, until it confirms them anew. What was confirmed longer ago than
outbox.keep_days is purged here, and named.""",
    "example: hjemgate replay --first 118 --last 240",
)
