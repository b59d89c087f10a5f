"""`hjemgate held` and `hjemgate parked`: what waits for a technician's word, and that word."""

import argparse
from collections.abc import Callable
from zoneinfo import ZoneInfo

from gateway.commands import talk
from gateway.commands.command import FAILED, OK, Command, fail, print_json
from gateway.commands.tables import print_table, when
from gateway.commands.talk import Facts
from gateway.words import shortened

HELD_TEXT = """\
Readings that are kept and not sent, because it is not certain whose they are
or when they were taken. Nothing is lost while they wait.

  list                 what waits, and why (the default)
  release ROW...       they are the person's who has that slot: send them
  bind ROW --patient   this one is that person's: send it
  discard ROW...       never send them; their contents are removed"""

PARKED_TEXT = """\
What could not be read (octets that do not decode) or was refused by the
receiver. Nothing is lost while it waits, and the rest goes on.

  list                 what waits, and why (the default)
  release ROW...       try again, after an update or a repair
  discard ROW...       never try again; the contents are removed"""


def _held_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = _arguments(parser, "held")
    bind = verbs("bind", "say whose reading it is, and send it", _bind)
    bind.add_argument("row", metavar="ROW", help="as the list names it, such as r12")
    bind.add_argument("--patient", required=True, metavar="ID", help="an opaque identifier")
    bind.add_argument(
        "--slot-also",
        action="store_true",
        help="and all later readings of this slot of the meter",
    )
    _decision_arguments(bind)


def _parked_arguments(parser: argparse.ArgumentParser) -> None:
    _arguments(parser, "parked")


def _arguments(
    parser: argparse.ArgumentParser, state: str
) -> Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]:
    """What held and parked share. Returns how to add one more decision."""
    verbs = parser.add_subparsers(title="what to do (default: list)", metavar="")
    parser.set_defaults(do=_list, state=state)
    talk.add_arguments(parser)

    def verb(
        name: str, text: str, do: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text.capitalize() + ".")
        added.set_defaults(do=do)
        return added

    talk.add_arguments_below(verb("list", "what waits, and why", _list))
    for name, text, do in (
        ("release", "let them go on", _release),
        ("discard", "never send them, and remove their contents", _discard),
    ):
        decision = verb(name, text, do)
        decision.add_argument("rows", metavar="ROW", nargs="+", help="r12 or f7, as listed")
        _decision_arguments(decision)
    return verb


def _decision_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")
    talk.add_arguments_below(parser)


def _run(args: argparse.Namespace) -> int:
    code: int = args.do(args)
    return code


def _list(args: argparse.Namespace) -> int:
    answer = talk.ask(args, args.state)
    rows: list[Facts] = answer["rows"]
    if args.json:
        print_json({"rows": rows})
    elif not rows:
        print(f"Nothing is {args.state}.")
    else:
        zone = ZoneInfo(answer["zone"])
        print_table(("ROW", "SINCE", "METER", "SLOT", "WHY"), [_cells(row, zone) for row in rows])
    return OK


def _cells(row: Facts, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        row["row"],
        when(row["since"], zone),
        f"{row['meter']} {shortened(row['address'])}",
        "-" if row["slot"] is None else str(row["slot"]),
        row["reason"] or "-",
    )


def _release(args: argparse.Namespace) -> int:
    return _decide(args, "release", args.rows, "released", f"Release {', '.join(args.rows)}?")


def _discard(args: argparse.Namespace) -> int:
    question = f"Discard {', '.join(args.rows)} for good?"
    return _decide(args, "discard", args.rows, "discarded", question)


def _bind(args: argparse.Namespace) -> int:
    whose = "and later readings of its slot " if args.slot_also else ""
    return _decide(
        args,
        "bind",
        [args.row],
        "bound",
        f"Send {args.row} {whose}as readings of this patient?",
        patient=args.patient,
        slot_also=args.slot_also,
    )


def _decide(
    args: argparse.Namespace,
    do: str,
    rows: list[str],
    done: str,
    question: str,
    **details: object,
) -> int:
    """Row by row, so that what was done is known when one is refused."""
    if not args.yes and not talk.agreed(question):
        fail("nothing was changed", FAILED)
    for row in rows:
        talk.ask(args, do, row=row, **details)
        if not args.json:
            print(f"{row} {done}.")
    if args.json:
        print_json({done: rows})
    return OK


HELD = Command(
    "held",
    "readings that wait to be told whose they are",
    _held_arguments,
    _run,
    HELD_TEXT,
    "example: hjemgate held\n         hjemgate held release r12 r13",
)

PARKED = Command(
    "parked",
    "what could not be read or was refused",
    _parked_arguments,
    _run,
    PARKED_TEXT,
    "example: hjemgate parked\n         hjemgate parked release f7",
)
