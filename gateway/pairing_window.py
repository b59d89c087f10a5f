"""Pairing windows: for so long, and with this meter alone, a bond may be made.

They live in memory: a gateway that starts again has none, and pairs with nobody.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.guests import Guests, Passkey
from gateway.words import shortened

log = logging.getLogger(__name__)

WINDOW_S = 300.0  # unless a technician says otherwise
EXPECTED_S = 900.0  # for a meter that was registered: it may stand in another room
LONGEST_S = 3600.0

News = Mapping[str, object]
"""What happens at a window: "kind" is one of heard, connecting, paired, failed, closed."""

NOT_HEARD = (
    "the meter was not heard in that time: bring it close to the gateway, put it into pairing mode"
    " as its manual says, and check the address"
)


@dataclass(slots=True, eq=False)
class Window:
    """One meter that is expected. `anew`: the bond that stands is to be made anew."""

    address: str
    until: float  # time.monotonic()
    passkey: Passkey | None
    anew: bool = False
    heard: bool = False
    news: asyncio.Queue[News] = field(default_factory=asyncio.Queue)

    def tell(self, kind: str, **facts: object) -> None:
        self.news.put_nowait({"kind": kind, **facts})


class Windows:
    """Those that are open. *expect* tells the radio whom to pair with: all of them, each time."""

    def __init__(self, expect: Callable[[Guests], Awaitable[None]]) -> None:
        self._expect = expect
        self._open: dict[str, Window] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Closes each when its time is over, for ever."""
        while True:
            self._changed.clear()
            ends = min((window.until for window in self._open.values()), default=None)
            left = None if ends is None else max(0.0, ends - time.monotonic())
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                for window in [w for w in self._open.values() if w.until <= time.monotonic()]:
                    await self.close(window, "its time is over" if window.heard else NOT_HEARD)

    async def open(
        self, address: str, for_s: float, passkey: Passkey | None = None, *, anew: bool = False
    ) -> Window:
        """When this returns the meter may be connected to. An earlier window for it closes."""
        if (earlier := self._open.pop(address, None)) is not None:
            earlier.tell("closed", words="another window was opened for this meter")
        window = Window(address, time.monotonic() + for_s, passkey, anew)
        self._open[address] = window
        log.info("a pairing window for %s is open for %.0f s", shortened(address), for_s)
        await self._tell()
        return window

    def find(self, address: str) -> Window | None:
        window = self._open.get(address)
        return window if window is not None and window.until > time.monotonic() else None

    async def close(self, window: Window, why: str) -> None:
        """Nothing happens to one that is closed already."""
        if self._open.get(window.address) is not window:
            return
        del self._open[window.address]
        window.tell("closed", words=why)
        log.info("the pairing window for %s is closed: %s", shortened(window.address), why)
        await self._tell()

    async def _tell(self) -> None:
        self._changed.set()
        await self._expect({address: each.passkey for address, each in self._open.items()})
