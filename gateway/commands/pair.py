"""`hjemgate pair`: a meter comes into the home: chosen, bonded, given its person, tried."""

import argparse
import asyncio
from pathlib import Path

from gateway.commands import talk
from gateway.commands.command import FAILED, OK, USAGE, Command, fail
from gateway.commands.pair_steps import Pairing

TEXT = """\
Opens a pairing window in the running gateway, and guides through the rest:
shows the meters that are heard, pairs with the one that is chosen, asks for its
passkey if it shows one, says who it is, asks whose it is, and tries it if told
to (--test). Readings of other meters go on meanwhile.

Only the chosen meter can pair, and only while the window is open: until it has
paired, until --minutes are over, or until this command ends.

Where everything is given (--address, --patient or --ignore, --passkey if it has
one) nothing is asked, and it works without a terminal. For a meter that is
known already it makes the bond anew: when the meter, or the gateway, has lost it.

Readings from before --from may be somebody else's: they are held until you
release them (hjemgate held). Without --from that is this moment."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--driver", metavar="NAME", help="what kind of meter it is, if unclear")
    parser.add_argument("--address", metavar="AA:BB:CC:DD:EE:FF", help="its Bluetooth address")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--patient", metavar="ID", help="whose readings: an opaque identifier")
    whose.add_argument("--ignore", action="store_true", help="nobody's: this slot is never sent")
    parser.add_argument("--slot", type=int, metavar="N", help="the meter's own user number")
    parser.add_argument(
        "--from", dest="since", metavar="WHEN", help="older readings are held (default: now)"
    )
    parser.add_argument("--passkey", metavar="NNNNNN", help="the six digits that the meter shows")
    parser.add_argument(
        "--minutes", type=int, default=5, metavar="N", help="how long (default: %(default)s)"
    )
    parser.add_argument("--test", action="store_true", help="wait for a reading at the end")
    parser.add_argument("--show", action="store_true", help="with --test: print its values")
    talk.add_arguments(parser)


def _run(args: argparse.Namespace) -> int:
    if args.show and not args.test:
        fail("--show belongs to --test", USAGE)
    if not 1 <= args.minutes <= 60:
        fail("--minutes: expected 1 to 60", USAGE)
    with talk.failures():
        return asyncio.run(_pair(talk.socket_of(args), args))


async def _pair(path: Path, args: argparse.Namespace) -> int:
    pairing = Pairing(path, args)
    await pairing.choose()
    if not await pairing.bond():
        return FAILED
    await pairing.give()
    return OK if not args.test or await pairing.test() else FAILED


PAIR = Command(
    "pair",
    "bring a meter into the home",
    _arguments,
    _run,
    TEXT,
    "example: hjemgate pair\n"
    "         hjemgate pair --address C0:11:22:33:44:55 --passkey 123456 --patient urn:uuid:...",
)
