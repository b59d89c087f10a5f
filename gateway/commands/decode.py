"""`hjemgate decode`: octets in, one JSON object out. Speaks to nobody."""

import argparse
import json

from drivers.api import DecodeError
from drivers.describe import RequestError, decode_json
from gateway.commands.command import OK, REFUSED, USAGE, Command, Failure


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "characteristic", metavar="CHARACTERISTIC", help="four hex digits, a UUID, SFLOAT or FLOAT"
    )
    parser.add_argument(
        "hex",
        metavar="HEX",
        nargs="+",
        help="the octets in hex digits, in the order they came; spaces are allowed",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON; it always does, so this changes nothing"
    )


def _run(args: argparse.Namespace) -> int:
    try:
        decoded = decode_json(args.characteristic, " ".join(args.hex))
    except DecodeError as error:
        raise Failure(f"refused: {error}", REFUSED) from error
    except RequestError as error:
        raise Failure(str(error), USAGE) from error
    print(json.dumps(decoded, ensure_ascii=False))
    return OK


DECODE = Command(
    "decode",
    "read octets of a meter as a person can",
    _arguments,
    _run,
    """\
Says what the octets of one Bluetooth characteristic mean, as one JSON object.
Nothing is stored or sent. Octets that are not what the specification says are
refused: one line, exit code 65.""",
    'example: hjemgate decode 2A35 "1e 7900 5100 ff07 ea070b16081e00 4800 01 0400"',
)
