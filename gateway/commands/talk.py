"""How a command finds the running gateway, and asks it; and asks the person in front of it."""

import argparse
import asyncio
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.commands.command import CONFIG, UNAVAILABLE, USAGE, Failure, fail
from gateway.control_client import Refused, Unreachable, request

# As in gateway.config, which takes too long to import for a question to a socket.
DEFAULT_CONFIG = Path("/etc/hjemgate/gateway.toml")
DEFAULT_SOCKET = Path("/run/hjemgate/control.sock")

Facts = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the gateway listens, and for whom to print."""
    _add(parser, absent=None, unset=False)


def add_arguments_below(parser: argparse.ArgumentParser) -> None:
    """The same for a verb below a verb: what it is not given does not undo what stood before."""
    _add(parser, absent=argparse.SUPPRESS, unset=argparse.SUPPRESS)


def _add(parser: argparse.ArgumentParser, absent: str | None, unset: str | bool) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=absent,
        help=f"the gateway's configuration, which names its socket (default: {DEFAULT_CONFIG})",
    )
    where.add_argument(
        "--socket", metavar="PATH", type=Path, default=absent, help="its control socket itself"
    )
    parser.add_argument(
        "--json", action="store_true", default=unset, help="print JSON, for programs"
    )


def ask(args: argparse.Namespace, do: str, **details: object) -> Facts:
    """One question, one answer. Raises Failure: the gateway is not there, or it refuses."""
    with failures():
        return asyncio.run(request(socket_of(args), do, **details))


@contextmanager
def failures() -> Iterator[None]:
    """What the control client raises, as one line and an exit code."""
    try:
        yield
    except Unreachable as error:
        raise Failure(str(error), UNAVAILABLE) from error
    except Refused as error:
        raise Failure(str(error), error.code) from error


def socket_of(args: argparse.Namespace) -> Path:
    """Where the gateway listens, as the arguments have it. Raises Failure."""
    path: Path = args.socket or _configured(args.config)
    return path


def agreed(question: str) -> bool:
    """Whether the person at the terminal says yes. Raises Failure where there is nobody to ask."""
    if not sys.stdin.isatty():
        fail(f"{question} Say so with --yes.", USAGE)
    print(f"{question} Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _configured(config: Path | None) -> Path:
    """What the configuration says, without judging the rest of it: `check` does that."""
    path = config or DEFAULT_CONFIG
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is None:
            return DEFAULT_SOCKET
        fail(f"{path}: no such file; name the gateway's own with --config", CONFIG)
    except OSError as error:
        fail(f"{path}: {error.strerror}; use sudo, or name the socket with --socket", CONFIG)
    except ValueError as error:
        fail(f"{path}: not TOML: {error}; see hjemgate check", CONFIG)
    gateway = settings.get("gateway", {})
    named = gateway.get("socket", str(DEFAULT_SOCKET)) if isinstance(gateway, dict) else None
    if not isinstance(named, str):
        fail(f"{path}: gateway.socket: expected text in double quotes; see hjemgate check", CONFIG)
    return Path(named)
