"""The command `hjemgate-receiver`: run | status | dead-letters | replay | withdraw."""

import argparse
import asyncio
import logging
import re
import signal
import ssl
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack

from backend import commands
from backend.arguments import parser, settings
from backend.commands import CONFIG, INTERRUPTED, OK, UNAVAILABLE, Failure
from backend.dead_letters import dead_letters
from backend.onward import Pace, Party
from backend.orders import Sign, UnfitKey, signer
from backend.receiver import Receiver
from backend.settings import Settings
from backend.store import Store, StoreError, StoreUnusable, open_database
from backend.terminal import say
from backend.withdraw import withdraw
from gateway.notify import notify, watchdog_s

log = logging.getLogger("hjemgate.receiver")

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")  # `Segment` of the contract
STORE_AGAIN_S = 5.0
NO_WATCHDOG_S = 3600.0  # it is told all the same; nobody listens


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
    say(f"hjemgate-receiver: {error}", sys.stderr)
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
                return dead_letters(database, args)
            case "withdraw":
                return withdraw(database, args)
            case _:
                return commands.replay(database, args)
    finally:
        database.close()


def run(settings: Settings) -> int:
    """Until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    _check_names(settings)
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


def _check_names(settings: Settings) -> None:
    """They go into topics and messages, which the contract would not allow later."""
    every = settings.organisation == "+"  # all that the broker's access list allows
    names = {
        "--org": None if every else settings.organisation,
        "--by": settings.by,
        "--issuer": settings.issuer,
        "--share": settings.share,
    }
    for option, name in names.items():
        if name is not None and not NAME.fullmatch(name):
            raise Failure(f"{option}: expected 1 to 64 letters, digits or . _ -", CONFIG)


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


if __name__ == "__main__":
    sys.exit(main())
