"""`hjemgate devices`: the meters of this home, whose they are, and when they leave it."""

import argparse
from zoneinfo import ZoneInfo

from gateway.commands import talk
from gateway.commands.command import FAILED, OK, Command, fail, print_json
from gateway.commands.tables import print_table, since, when
from gateway.commands.talk import Facts

ADD_TEXT = """\
Tells the gateway about a meter: what kind it is, its Bluetooth address, and
whose readings it takes. For a new meter it opens a pairing window of 15 minutes
(--no-window: it does not): if the meter is heard within them, in pairing mode
if it has one, it is paired and read. It must be one that needs no passkey;
hjemgate pair does that, and says what happens.

The person is the opaque identifier that the care organisation uses, never a
CPR number. A meter with several users has numbered slots: add it once for each
slot (--slot 1 --patient ..., --slot 2 --ignore).

Readings from before --from may be somebody else's: they are held until you
release them (hjemgate held). Without --from that is this moment."""

FORGET_TEXT = """\
Removes a meter, its bond, and everything that the gateway stores of the person
who used it: for a kit that moves on. It refuses while readings are unconfirmed, for
they would be lost; --unsent-too says that they may be."""

PATIENTS = "show whose slot it is"
DRIVERS = "some drivers: sig_blood_pressure, sig_glucose, sig_weight_scale"


def _arguments(parser: argparse.ArgumentParser) -> None:
    style = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(title="what to do (default: list)", metavar="")
    parser.set_defaults(do=_list)
    parser.add_argument("--patients", action="store_true", help=PATIENTS)
    talk.add_arguments(parser)
    listing = verbs.add_parser("list", help="the meters of this home", formatter_class=style)
    listing.add_argument(
        "--patients", action="store_true", default=argparse.SUPPRESS, help=PATIENTS
    )
    talk.add_arguments_below(listing)
    add = verbs.add_parser(
        "add",
        help="a meter, or one more slot of it",
        description=ADD_TEXT,
        formatter_class=style,
        epilog="example: hjemgate devices add --driver sig_blood_pressure"
        " --address C0:11:22:33:44:55 \\\n             --patient urn:uuid:...\n" + DRIVERS,
    )
    _add_arguments(add)
    forget = verbs.add_parser(
        "forget",
        help="a meter and its person's readings",
        description=FORGET_TEXT,
        formatter_class=style,
        epilog="example: hjemgate devices forget C0:11:22:33:44:55",
    )
    _forget_arguments(forget)
    talk.add_arguments_below(forget)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_add)
    parser.add_argument("--driver", required=True, metavar="NAME", help="what kind of meter it is")
    parser.add_argument(
        "--address", required=True, metavar="AA:BB:CC:DD:EE:FF", help="its Bluetooth address"
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--patient", metavar="ID", help="whose readings: an opaque identifier")
    whose.add_argument("--ignore", action="store_true", help="nobody's: this slot is never sent")
    parser.add_argument("--slot", type=int, metavar="N", help="the meter's own user number")
    parser.add_argument(
        "--no-window", action="store_true", help="open no pairing window for a new meter"
    )
    parser.add_argument(
        "--from",
        dest="since",
        metavar="WHEN",
        help="2026-11-25 or 2026-11-25T08:30: readings older than this are held (default: now)",
    )
    talk.add_arguments_below(parser)


def add_forget_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of `hjemgate forget`."""
    _forget_arguments(parser)
    talk.add_arguments(parser)


def _forget_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_forget)
    parser.add_argument("address", metavar="ADDRESS", help="the meter's Bluetooth address")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--unsent-too", action="store_true", help="even if nobody else holds its readings yet"
    )


def run(args: argparse.Namespace) -> int:
    code: int = args.do(args)
    return code


def _list(args: argparse.Namespace) -> int:
    answer = talk.ask(args, "devices", patients=args.patients)
    if args.json:
        print_json({"devices": answer["devices"]})
    elif not answer["devices"]:
        print("No meters yet. Add one: hjemgate devices add --help")
    else:
        _table(answer)
    return OK


def _table(answer: Facts) -> None:
    zone = ZoneInfo(answer["zone"])
    heads = ("ADDRESS", "DRIVER", "BOND", "BATTERY", "LAST HEARD", "LAST READING", "SLOTS")
    rows = [
        (
            device["address"],
            device["driver"],
            device["bond"] if device["met"] else "not met yet",
            "-" if device["battery"] is None else f"{device['battery']} %",
            since(device["last_session"]),
            when(device["last_reading"], zone),
            "; ".join(_slot(slot, zone) for slot in device["slots"]),
        )
        for device in answer["devices"]
    ]
    print_table(heads, rows)


def _slot(slot: Facts, zone: ZoneInfo) -> str:
    name = "all" if slot["slot"] is None else str(slot["slot"])
    if slot["ignored"]:
        return f"{name}: ignored"
    who = f" {slot['patient']}" if "patient" in slot else ""
    end = f" to {when(slot['to'], zone)}" if slot["to"] else ""
    return f"{name}:{who} from {when(slot['from'], zone)}{end}"


def _add(args: argparse.Namespace) -> int:
    answer = talk.ask(
        args,
        "devices add",
        driver=args.driver,
        address=args.address,
        patient=args.patient,
        ignore=args.ignore,
        slot=args.slot,
        no_window=args.no_window,
        **{"from": args.since},
    )
    if args.json:
        print_json({"address": answer["address"], "from": answer["from"]})
    elif args.ignore:
        print(f"{answer['address']} added; this slot is never sent.")
    else:
        print(f"{answer['address']} added. Readings from before {answer['from'][:16]} are held.")
    if answer["window"] and not args.json:
        minutes = answer["window"] / 60
        print(f"A pairing window for it is open for {minutes:.0f} min: measure, or pair the meter.")
    return OK


def _forget(args: argparse.Namespace) -> int:
    question = f"Forget {args.address}, and remove everything stored of the person who used it?"
    if not args.yes and not talk.agreed(question):
        fail("nothing was changed", FAILED)
    answer = talk.ask(args, "devices forget", address=args.address, unsent_too=args.unsent_too)
    if args.json:
        print_json({"address": answer["address"]})
    else:
        print(f"{answer['address']} forgotten.")
        if answer["bond"] == "kept":
            print("Its bond could not be deleted: try again when Bluetooth works, see the log.")
    return OK


DEVICES = Command(
    "devices",
    "the meters of this home: list, add, forget",
    _arguments,
    run,
    """\
The meters that this gateway reads, and whose readings they take. Patients are
shown only when asked for.""",
    "example: hjemgate devices --patients\n\n"
    "hjemgate devices add --help and hjemgate devices forget --help tell more.",
)
