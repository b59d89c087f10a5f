"""`hjemgate rotate-key`: a new key for the outbox."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from gateway.commands.command import CONFIG, OK, Command, Failure
from gateway.config import DEFAULT_PATH, ConfigError, load
from gateway.outbox.opening import Unusable, exchange_key


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=DEFAULT_PATH,
        help=f"the configuration (default: {DEFAULT_PATH})",
    )


def _run(args: argparse.Namespace) -> int:
    try:
        config = load(args.config)
        exchange_key(config.gateway.state_dir, config.outbox.key, datetime.now(UTC))
    except (ConfigError, Unusable) as error:
        raise Failure(str(error), CONFIG) from error
    print(f"{config.outbox.key}: a new key, and everything is sealed with it; put a copy away")
    return OK


ROTATE_KEY = Command(
    "rotate-key",
    "seal the outbox with a new key",
    _arguments,
    _run,
    """\
Makes a new key, seals everything in the outbox with it, and puts it in the
place of the old one (outbox.key in the configuration), which is gone then. End
the gateway first. If it is cut short, it is gone on with at the next start:
until then outbox.key.new lies beside outbox.key, and both are needed.""",
    "example: runuser -u hjemgate -- hjemgate rotate-key",
)
