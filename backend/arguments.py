"""The words of the command `hjemgate-receiver`."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from backend.checkers import sensible_count
from backend.commands import USAGE
from backend.settings import KEEP_DAYS, Settings

FASTEST = 10_000  # readings a second
MOST_CHECKERS = 64
MOST_DAYS = 36_500

MORE = """\
Exit codes: 0 well; 1 something needs attention, or failed; 64 wrong usage;
69 the store is not there, or does not answer; 78 the settings cannot be used."""


def settings(args: argparse.Namespace) -> Settings:
    return Settings(**{name: value for name, value in vars(args).items() if name != "verb"})


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"hjemgate-receiver: {message}\n")


def parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    whole = _Parser(
        prog="hjemgate-receiver",
        description="Stores the readings of an organisation's gateways and sends receipts.",
        epilog=MORE,
        formatter_class=style,
    )
    verbs = whole.add_subparsers(
        dest="verb", required=True, metavar="VERB", title="verbs", parser_class=_Parser
    )
    _run_arguments(verbs.add_parser("run", help="receive, in the foreground"))
    status = verbs.add_parser("status", help="what is held, what is missing, what needs somebody")
    _look_arguments(status)
    status.add_argument(
        "--seen", action="store_true", help="forget what was noticed, and numbers that never come"
    )
    letters = verbs.add_parser("dead-letters", help="what could not be taken, and why")
    _look_arguments(letters)
    one = letters.add_mutually_exclusive_group()
    one.add_argument("--show", type=int, metavar="N", help="the octets of one, to standard output")
    one.add_argument(
        "--again", action="store_true", help="hand on what was undeliverable once more"
    )
    one.add_argument("--discard", type=int, metavar="N", help="forget one")
    _replay_arguments(verbs.add_parser("replay", help="ask a gateway for readings once more"))
    _withdraw_arguments(verbs.add_parser("withdraw", help="say that a reading was sent in error"))
    return whole


def _pace(text: str) -> float:
    with suppress(ValueError):
        if 0 < (pace := float(text)) <= FASTEST:
            return pace
    raise argparse.ArgumentTypeError(f"expected a number above 0, at most {FASTEST}")


def _days(text: str) -> int:
    with suppress(ValueError):
        if 1 <= (days := int(text)) <= MOST_DAYS:
            return days
    raise argparse.ArgumentTypeError(f"expected a number of days, 1 to {MOST_DAYS}")


def _checkers(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (count := int(text)) <= MOST_CHECKERS:
            return count
    raise argparse.ArgumentTypeError(f"expected a number of processes, 0 to {MOST_CHECKERS}")


def _store_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store", required=True, help="the SQLite file, or postgresql://... for several receivers"
    )


def _look_arguments(parser: argparse.ArgumentParser) -> None:
    _store_argument(parser)
    parser.add_argument("--json", action="store_true", help="facts for programs")


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", required=True, help="the MQTT 5 broker")
    add("--port", type=int, default=8883)
    add("--ca", type=Path, required=True, help="PEM: who signed the broker")
    add("--cert", type=Path, required=True, dest="certificate", help="PEM: ours")
    add("--key", type=Path, required=True, help="PEM: the key to it")
    _store_argument(parser)
    add("--org", required=True, dest="organisation", help="as in the topics")
    add("--by", default="receiver-1", help="our name in receipts, and at the broker")
    add("--name", help="our name at the broker, where several receivers are one --by")
    add("--share", help="share the work with receivers that name the same group")
    add("--export", type=Path, metavar="DIR", help="write each Bundle as a file")
    add(
        *("--onward",),
        type=Path,
        metavar="TOML",
        help="to whom readings are handed on; without it they wait in the store",
    )
    add(
        *("--fleet-key",),
        type=Path,
        metavar="PEM",
        help="the private key of the fleet: ask gateways for what is missing",
    )
    add("--pace", type=_pace, default=10.0, metavar="N", help="readings a second, to each party")
    add("--issuer", help="our name in commands; --by if not given")
    add(
        *("--keep-days",),
        type=_days,
        metavar="N",
        help=f"remove the octets of readings so many days after all was done with them"
        f" ({KEEP_DAYS}); without --onward: after they came (for ever)",
    )
    add(
        *("--checkers",),
        type=_checkers,
        default=sensible_count(),
        metavar="N",
        help="processes that look into Bundles; 0: the receiver does it itself; %(default)s here",
    )
    add("--gap-patience", type=float, default=900.0, dest="gap_patience_s", metavar="SECONDS")
    add("--reconnect-cap", type=float, default=60.0, dest="reconnect_cap_s", metavar="SECONDS")


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("gateway", help="gw-...")
    _look_arguments(parser)
    parser.add_argument("--org", help="its organisation; known if it has sent anything")
    parser.add_argument("--epoch", help="in which the numbers count; its newest if not given")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--first", type=int, metavar="N", help="from this number (seq) on")
    what.add_argument("--since", metavar="WHEN", help="what was confirmed since then, RFC 3339")
    parser.add_argument("--last", type=int, metavar="N", help="with --first: up to this number")
    _wait_argument(parser)


def _withdraw_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reading", metavar="ID", help="its id, or how that begins")
    _look_arguments(parser)
    parser.add_argument("--undo", action="store_true", help="it was right after all")
    _wait_argument(parser)


def _wait_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="SECONDS", help="for the answer; 30"
    )
