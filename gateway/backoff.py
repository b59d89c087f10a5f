"""How long to wait before the broker is tried again. Pure but for the dice and the clock.

Full jitter: a fleet that lost its broker together must not come back together.
"""

import random
import time
from collections.abc import Callable
from typing import Final

BASE_S = 1.0
STABLE_S = 300.0  # a connection that held this long was a good one
# One that was good is lost by the whole fleet at once: were the first wait at most 1 s, a million
# gateways would come in that second (docs/fleet.md). 64 s: most are back before their wills are due.
LOST_TOGETHER = 6

# MQTT 5 reason codes that say how the broker would like it; as parts of the cap (900 s).
_BUSY: Final = {0x89, 0x97, 0x9F}  # server busy, quota exceeded, connection rate exceeded
_LEAVING: Final = {0x8B}  # server shutting down: back soon, but not all at once


class Backoff:
    """Counts failures in a row; a stable connection begins a new row, at LOST_TOGETHER."""

    def __init__(
        self,
        cap_s: float = 900.0,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cap_s = cap_s
        self._uniform = uniform
        self._clock = clock
        self._failures = 0
        self._since: float | None = None

    def connected(self) -> None:
        """Call when a connection has been made."""
        self._since = self._clock()

    def delay(self, *, reason_code: int | None = None, slow: bool = False) -> float:
        """Seconds to wait now that a connection failed or was lost.

        *slow*: what failed will not mend by itself (refused, certificates).
        """
        if self._since is not None and self._clock() - self._since >= STABLE_S:
            self._failures = LOST_TOGETHER
        self._since = None
        exponent = min(self._failures, 60)  # beyond any cap, and no overflow
        self._failures += 1
        if reason_code in _LEAVING:
            return self._uniform(0.0, self._cap_s / 3)
        if reason_code in _BUSY:
            return self._uniform(self._cap_s / 15, self._cap_s)
        if slow:
            return self._uniform(self._cap_s * 2 / 3, self._cap_s)
        return self._uniform(0.0, min(self._cap_s, BASE_S * 2**exponent))
