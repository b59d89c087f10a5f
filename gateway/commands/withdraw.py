"""`hjemgate withdraw`: a reading that was sent should not have been."""

import argparse

from gateway.commands import talk
from gateway.commands.command import FAILED, OK, Command, fail, print_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "reading", metavar="ID", help="its public id, or how that begins, or its row, such as r12"
    )
    parser.add_argument("--undo", action="store_true", help="it was right after all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    what = "Put {} in force again?" if args.undo else "Tell everybody that {} is in error?"
    if not args.yes and not talk.agreed(what.format(args.reading)):
        fail("nothing was changed", FAILED)
    answer = talk.ask(args, "withdraw", reading=args.reading, undo=args.undo)
    if args.json:
        print_json({"row": answer["row"]})
    elif args.undo:
        print(f"{answer['row']} goes out again, in force.")
    else:
        print(f"{answer['row']} goes out again, marked as entered in error.")
    return OK


WITHDRAW = Command(
    "withdraw",
    "say of a reading that it was sent in error",
    _arguments,
    _run,
    """\
For a reading that is not what it says: a guest measured, or somebody put the
bag on the scale. A next version goes out under the same id that marks it as
entered in error; whoever has it keeps it as such. `hjemgate trace` follows it.
What was purged here (outbox.keep_days) has to be withdrawn at the receiver's.""",
    "example: hjemgate withdraw 5f0c3b57\n         hjemgate withdraw r12 --undo",
)
