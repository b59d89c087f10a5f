"""systemd's notification protocol (sd_notify(3)): a datagram, no library."""

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send *state* to the service manager. Without one, or when it is gone, nothing happens: it
    is told of our end, and must not be able to prevent it.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect("\0" + address[1:] if address.startswith("@") else address)
            sock.sendall(state.encode())
        except OSError as error:
            log.warning("the service manager was not told %s: %s", state, error)


def watchdog_s() -> float | None:
    """How often WATCHDOG=1 is expected, in seconds; None without a watchdog."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdigit() and int(usec) else None
