"""What the daemon says of itself: to stderr, ready for the journal, without whole addresses."""

import logging
import os
import re
import sys

LEVELS = ("debug", "info", "warning", "error")

# sd-daemon(3): the priority that the journal reads at the beginning of a line.
PRIORITIES = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}

# BlueZ writes an address with underscores in its paths, as in dev_C0_11_22_33_44_55.
ADDRESS = re.compile(
    r"(?<![0-9A-F])(?:[0-9A-F]{2}[:_-]){4}([0-9A-F]{2})[:_-]([0-9A-F]{2})(?![0-9A-F])",
    re.IGNORECASE,
)


def set_up(level: str) -> None:
    """Log from *level* on. Under systemd each line has its priority, and the journal the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_discreet)
    if _to_journal():
        handler.addFilter(_prioritise)
        handler.setFormatter(logging.Formatter("%(priority)s%(name)s: %(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def shorten(text: str) -> str:
    """*text* with the last two octets of each Bluetooth address alone."""
    return ADDRESS.sub(r"..:\1:\2", text)


def _to_journal() -> bool:
    """Whether stderr is the journal's own stream (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        stderr = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


def _discreet(record: logging.LogRecord) -> bool:
    """Design 12: whole addresses at DEBUG alone, whoever wrote the line."""
    if record.levelno > logging.DEBUG:
        record.msg, record.args = shorten(record.getMessage()), None
    return True


def _prioritise(record: logging.LogRecord) -> bool:
    record.priority = PRIORITIES.get(record.levelno, "<6>")
    return True
