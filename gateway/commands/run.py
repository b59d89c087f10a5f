"""`hjemgate run` and `hjemgate check`: the configuration, and the daemon."""

import argparse
from pathlib import Path

from gateway.commands import logs
from gateway.commands.command import CONFIG, OK, Command, Failure, print_json
from gateway.config import DEFAULT_PATH, Config, ConfigError, load
from gateway.preflight import preflight


def _config_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=DEFAULT_PATH,
        help=f"the configuration (default: {DEFAULT_PATH})",
    )


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    _config_argument(parser)
    parser.add_argument(
        "--log-level", choices=logs.LEVELS, default="info", help="what to say (default: info)"
    )


def _run(args: argparse.Namespace) -> int:
    """Until SIGTERM. What forbids a start is one line each; anything else ends with a trace."""
    config = _ready(args.config)
    logs.set_up(args.log_level)
    # Imported when it is certain that they are needed: radio, broker and FHIR take a while.
    from gateway import daemon  # noqa: PLC0415 - see above
    from gateway.control_socket import Occupied  # noqa: PLC0415 - see above
    from gateway.outbox.store import Unusable  # noqa: PLC0415 - see above
    from gateway.radio import RadioError  # noqa: PLC0415 - see above

    forbidden: list[str] = []
    try:
        return daemon.run(config)
    except* (ConfigError, Unusable, Occupied, RadioError) as errors:
        forbidden = _lines(errors)
    raise Failure("\n".join(forbidden), CONFIG)


def _lines(errors: BaseExceptionGroup[BaseException]) -> list[str]:
    """What each error in a group says, in order."""
    lines: list[str] = []
    for error in errors.exceptions:
        lines += _lines(error) if isinstance(error, BaseExceptionGroup) else [str(error)]
    return lines


def _ready(path: Path) -> Config:
    """The configuration, with everything it names in its place. Raises Failure."""
    try:
        config = load(path)
        preflight(config)
    except ConfigError as error:
        raise Failure(str(error), CONFIG) from error
    return config


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    _config_argument(parser)
    parser.add_argument("--json", action="store_true", help="print the findings for programs")


def _check(args: argparse.Namespace) -> int:
    try:
        config = _ready(args.config)
    except Failure as failure:
        if not args.json:
            raise
        print_json({"fine": False, "problems": str(failure).splitlines()})
        return failure.code
    found = _found(config)
    if args.json:
        print_json({"fine": True, "problems": [], "found": found})
        return OK
    print(f"{args.config}: configuration is fine")
    for name, value in found.items():
        print(f"  {name + ':':14}{value}")
    return OK


def _found(config: Config) -> dict[str, str]:
    """What a technician wants to see confirmed."""
    broker = config.broker
    confirmed = "by " + " and ".join(broker.required_receivers or ("any receiver",))
    return {
        "gateway": f"{config.gateway.id} of {config.gateway.organisation}",
        "broker": f"{broker.host}:{broker.port}",
        "certificate": f"{broker.certificate} (belongs to the key and to this gateway)",
        "confirmed": confirmed if broker.receipts else "by nobody (broker.receipts = false)",
        "outbox": f"{config.gateway.state_dir}, at most {config.outbox.quota_mib} MiB",
        "radio": f"{config.radio.backend} {config.radio.adapter}",
        "clock": "network time" if config.clock.trust == "ntp" else "believed without proof",
        "readings": "marked as test data" if config.fhir.simulated else "of real people",
    }


RUN = Command(
    "run",
    "run the gateway, as the service does",
    _run_arguments,
    _run,
    """\
Runs the gateway in the foreground until it is told to end (SIGTERM, Ctrl-C).
Ordinarily systemd does this: systemctl start hjemgate. It starts, and reads
meters, with the broker down; readings wait on disk.""",
    "example: hjemgate run --config /etc/hjemgate/gateway.toml --log-level debug",
)

CHECK = Command(
    "check",
    "say what is wrong with the configuration",
    _check_arguments,
    _check,
    """\
Reads the configuration and looks at the files and folders that it names. Says
for each fault which key or line, what was expected and what to write; exit
code 78. Run it as the user that the gateway runs as: it asks for that user.""",
    "example: runuser -u hjemgate -- hjemgate check",
)
