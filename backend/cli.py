"""The command `hjemgate-receiver`: run | status | dead-letters | replay."""

import argparse
import asyncio
import logging
import signal
import ssl
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import NoReturn

from backend import commands
from backend.checkers import sensible_count
from backend.commands import CONFIG, INTERRUPTED, OK, UNAVAILABLE, USAGE, Failure
from backend.onward import Pace, Party
from backend.orders import Sign, UnfitKey, signer
from backend.receiver import Receiver
from backend.settings import Settings
from backend.store import Store, StoreError, StoreUnusable, open_database
from gateway.notify import notify, watchdog_s

log = logging.getLogger("hjemgate.receiver")

STORE_AGAIN_S = 5.0
NO_WATCHDOG_S = 3600.0  # it is told all the same; nobody listens
FASTEST = 10_000  # readings a second
MOST_CHECKERS = 64

MORE = """\
Exit codes: 0 well; 1 something needs attention, or failed; 64 wrong usage;
69 the store is not there, or does not answer; 78 the settings cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. Trouble that can be foreseen is one line on stderr, never a traceback."""
    try:
        return _dispatch(parser().parse_args(arguments))
    except Failure as failure:
        return _says(failure, failure.code)
    except StoreUnusable as error:
        return _says(error, CONFIG)
    except StoreError as error:
        return _says(error, UNAVAILABLE)
    except KeyboardInterrupt:
        return INTERRUPTED


def _says(error: Exception, code: int) -> int:
    print(f"hjemgate-receiver: {error}", file=sys.stderr)
    return code


def _dispatch(args: argparse.Namespace) -> int:
    if args.verb == "run":
        return run(settings(args))
    database = commands.opened(args.store)
    try:
        match args.verb:
            case "status":
                return commands.status(database, forget=args.seen, as_json=args.json)
            case "dead-letters":
                return commands.dead_letters(database, args)
            case _:
                return commands.replay(database, args)
    finally:
        database.close()


def run(settings: Settings) -> int:
    """Until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        tls = context(settings)
        sign = None if settings.fleet_key is None else signer(settings.fleet_key)
        if settings.export is not None:
            settings.export.mkdir(parents=True, exist_ok=True)
        store = Store(open_database(settings.store))
    except (OSError, ssl.SSLError, UnfitKey) as error:
        raise Failure(str(error), CONFIG) from error
    asyncio.run(until_told(_serve(settings, store, tls, sign)))
    return OK


async def until_told(serving: Coroutine[None, None, None]) -> None:
    """By SIGTERM or Ctrl-C. The service manager hears that we run, and that we are not stuck."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(serving)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    notify("READY=1")
    while not running.done():
        notify("WATCHDOG=1")
        await asyncio.wait([running], timeout=(watchdog_s() or NO_WATCHDOG_S) / 3)
    notify("STOPPING=1")
    if not running.cancelled():
        running.result()


async def _serve(settings: Settings, store: Store, tls: ssl.SSLContext, sign: Sign | None) -> None:
    async with AsyncExitStack() as stack:
        parties = await _onward(settings, stack)
        receiver = Receiver(settings, store, tls, sign, parties, Pace(per_second=settings.pace))
        try:
            await receiver.run()
        finally:
            receiver.close()


async def _onward(settings: Settings, stack: AsyncExitStack) -> Sequence[Party]:
    """To whom readings are handed on; if to nobody, they wait in the store. A database that is not
    there yet is waited for: without it nothing would be received either.
    """
    if settings.onward is None:
        return ()
    try:  # it brings an HTTP client along, an extra of its own
        from backend.onward_settings import OnwardUnusable, load  # noqa: PLC0415
        from backend.onward_setup import opened  # noqa: PLC0415
    except ImportError as error:
        raise Failure(str(error), CONFIG) from error
    try:
        wanted = load(settings.onward)
        while True:
            try:
                return await stack.enter_async_context(opened(wanted, settings.store))
            except StoreError as error:
                delay = min(settings.reconnect_cap_s, STORE_AGAIN_S)
                log.warning("store: %s; trying again in %.1f s", error, delay)
                await asyncio.sleep(delay)
    except OnwardUnusable as error:
        raise Failure(str(error), CONFIG) from error


def context(settings: Settings) -> ssl.SSLContext:
    """Raises OSError and SSLError."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_verify_locations(settings.ca)
    tls.load_cert_chain(settings.certificate, settings.key, password="")
    return tls


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
    return whole


def _pace(text: str) -> float:
    with suppress(ValueError):
        if 0 < (pace := float(text)) <= FASTEST:
            return pace
    raise argparse.ArgumentTypeError(f"expected a number above 0, at most {FASTEST}")


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
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="SECONDS", help="for the answer; 30"
    )


if __name__ == "__main__":
    sys.exit(main())
