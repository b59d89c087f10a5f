"""Before the broker is tried for the first time after a boot: is our clock plausible?

A box without a battery behind its clock wakes up in the past, where no certificate is valid yet.
Network time usually comes within seconds of the network; where it does not come, the broker is
tried all the same, and if TLS then fails for the clock, the error says so.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from gateway.certificate import not_before
from gateway.clock import OurClock
from gateway.live import UplinkFacts

log = logging.getLogger(__name__)

BOOTING = timedelta(minutes=5)  # later than this, who waits has been waiting for long
CLOCK_S = 60.0
WAITING = "after a boot we wait a minute at most for this gateway's clock to be set"


async def clock_is_plausible(ours: OurClock, certificate: Path, facts: UplinkFacts) -> None:
    """Return once our clock is believed, or shows a time at which our own *certificate* is valid
    already; after a boot at the latest when it was given its time, else at once.
    """
    since = await asyncio.to_thread(_since, certificate)
    if since is None or ours.now().boottime >= BOOTING:
        return
    facts.last_error = WAITING
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOCK_S):
            await ours.plausible(since)
    facts.last_error = None
    if not ours.trusted:
        log.warning("our clock is not set; the broker is tried all the same")


def _since(certificate: Path) -> datetime | None:
    """None as well where it cannot be read: whoever connects with it says so, and tries again."""
    try:
        return not_before(certificate)
    except (OSError, ValueError, LookupError, StopIteration):
        return None
