"""The command line: which verb, its arguments, its exit code. Nothing heavy is imported here."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Protocol

from gateway.commands.command import INTERRUPTED, OK, UNAVAILABLE, USAGE, Failure

ABOUT = """\
hjemgate reads the Bluetooth meters of a home and forwards every reading until
the care team's system has confirmed it."""

MORE = """\
hjemgate VERB --help tells more, with an example.
Exit codes: 0 well; 1 something needs attention, or failed; 64 wrong usage;
65 octets refused; 69 the gateway is not running, or this is not installed;
78 the configuration cannot be used."""

# verb -> (one line for people, where it lives)
VERBS = {
    "run": ("run the gateway, as the service does", "gateway.commands.run:RUN"),
    "check": ("say what is wrong with the configuration", "gateway.commands.run:CHECK"),
    "status": ("is it well? What waits, and what needs somebody", "gateway.commands.status:STATUS"),
    "devices": ("the meters of this home: list, add, forget", "gateway.commands.devices:DEVICES"),
    "pair": ("bring a meter into the home", "gateway.commands.pair:PAIR"),
    "scan": ("the meters that are heard now", "gateway.commands.scan:SCAN"),
    "forget": ("a meter, its bond, its person's readings", "gateway.commands.forget:FORGET"),
    "held": ("readings that wait to be told whose they are", "gateway.commands.rows:HELD"),
    "parked": ("what could not be read or was refused", "gateway.commands.rows:PARKED"),
    "trace": ("the journey of one reading, step by step", "gateway.commands.trace:TRACE"),
    "replay": ("send readings again that were confirmed", "gateway.commands.replay:REPLAY"),
    "withdraw": (
        "say of a reading that it was sent in error",
        "gateway.commands.withdraw:WITHDRAW",
    ),
    "rotate-key": (
        "seal the outbox with a new key",
        "gateway.commands.rotate_key:ROTATE_KEY",
    ),
    "watch": ("follow readings on their way, live", "gateway.commands.watch:WATCH"),
    "decode": ("read octets of a meter as a person can", "gateway.commands.decode:DECODE"),
    "version": ("print the version", "gateway.commands.version:VERSION"),
}

# Verbs that live outside this package, found only in a checkout; group "hjemgate.commands".
ADDED = {
    "demo": "a whole home on this machine, and what becomes of its readings",
    "simulate": "virtual meters for a gateway of yours",
}


class Verb(Protocol):
    """What a verb must have; `gateway.commands.command.Command` has more."""

    @property
    def help(self) -> str: ...
    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...
    def run(self, args: argparse.Namespace, /) -> int: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. Trouble that can be foreseen is one line on stderr, never a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except Failure as failure:
        for line in str(failure).splitlines():
            print(f"hjemgate: {line}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `hjemgate watch | head`: whoever read us has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def _dispatch(words: list[str]) -> int:
    verb = None
    if words and (words[0] in VERBS or words[0] in ADDED):
        verb = _load(words[0])
    parser = _parser(words[0] if verb else "", verb)
    try:
        args = parser.parse_args(words)
    except SystemExit as stop:  # argparse has said what it had to say
        return USAGE if stop.code == 2 else OK
    if verb is None:
        parser.print_help()
        return OK
    return verb.run(args)


def _parser(chosen: str, verb: Verb | None) -> argparse.ArgumentParser:
    """All verbs by name, and the arguments of the one that was chosen."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("hjemgate", None, ABOUT, MORE, formatter_class=style)
    parser.add_argument("--version", action="version", version=f"hjemgate {version('hjemgate')}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    summaries = {name: summary for name, (summary, _) in VERBS.items()} | ADDED
    for name, summary in summaries.items():
        one = verbs.add_parser(name, help=summary, formatter_class=style)
        if verb is not None and name == chosen:
            one.description = getattr(verb, "text", "") or verb.help
            one.epilog = getattr(verb, "example", "")
            verb.add_arguments(one)
    return parser


def _load(name: str) -> Verb:
    """The verb of that name. Raises Failure when it is not installed."""
    if name in VERBS:
        module, _, attribute = VERBS[name][1].partition(":")
        verb: Verb = getattr(importlib.import_module(module), attribute)
        return verb
    for entry in entry_points(group="hjemgate.commands", name=name):
        try:
            added: Verb = entry.load()
        except ModuleNotFoundError as error:
            raise Failure(_absent(name, str(error.name)), UNAVAILABLE) from error
        return added
    raise Failure(_absent(name, "simulator"), UNAVAILABLE)


def _absent(name: str, module: str) -> str:
    return (
        f"{name} is not installed here ({module} is missing): it comes with a checkout of the"
        " source and runs there as ./dev " + name
    )
