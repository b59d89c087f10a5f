"""How long to wait before the broker is tried again. Pure but for the dice and the clock.

Full jitter: a fleet that lost its broker together must not come back together. One wait in two may
be cut short, for somebody who has just measured and waits to see it arrive: people can at most
double what a broker is asked, and they measure at times of their own.
"""

import random
import time
from collections.abc import Callable
from typing import Final

BASE_S = 1.0
STABLE_S = 300.0  # a connection that held this long was a good one
# One that was good is lost by the whole fleet at once: were the first wait at most 1 s, a million
# gateways would come in that second (docs/fleet.md). 64 s: most are back before a will is due.
LOST_TOGETHER = 6

# MQTT 5 reason codes that say how the broker would like it; as parts of the cap (900 s).
_BUSY: Final = {0x89, 0x96, 0x97, 0x9F}  # server busy; message rate, quota, connection rate
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
        self._least_s: float | None = None
        self._hurried = False  # the try that follows this wait is an early one

    def connected(self) -> None:
        """Call when a connection has been made."""
        self._since = self._clock()

    def delay(self, *, reason_code: int | None = None, slow: bool = False) -> float:
        """Seconds to wait now that a connection failed or was lost.

        *slow*: what failed will not mend by itself (refused, certificates).
        """
        if self._since is not None and self._clock() - self._since >= STABLE_S:
            self._failures, self._hurried = LOST_TOGETHER, False
        self._since = None
        exponent = min(self._failures, 60)  # beyond any cap, and no overflow
        self._failures += 1
        low, high = self._bounds(exponent, reason_code, slow)
        wait = self._uniform(low, high)
        soon = wait <= self._cap_s / 90  # 10 s: not worth the one try
        least = low if reason_code in _BUSY else 0.0
        self._least_s = None if soon or self._hurried else least
        self._hurried = False
        return wait

    def _bounds(self, exponent: int, reason_code: int | None, slow: bool) -> tuple[float, float]:
        if reason_code in _LEAVING:
            return 0.0, self._cap_s / 3
        if reason_code in _BUSY:
            return self._cap_s / 15, self._cap_s
        if slow:
            return self._cap_s * 2 / 3, self._cap_s
        return 0.0, min(self._cap_s, BASE_S * 2**exponent)

    @property
    def least_s(self) -> float | None:
        """How long this wait must last, whoever has measured; None: it is not to be cut short.

        A broker that is busy is spared for as long as it would be by the luckiest of a fleet. One
        that refuses us alone is not: the technician who has just mended it measures to see.
        """
        return self._least_s

    def hurried(self) -> None:
        """Call when this wait was cut short: the next one will not be."""
        self._hurried = True
