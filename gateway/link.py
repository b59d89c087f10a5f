"""What a link to a meter promises, its time limits, and what is waiting to be looked at."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from drivers.api import Frame, LinkError

T = TypeVar("T")

# Addresses that wait to be looked at: ten meters in a home, and the neighbours' of the same kind.
HEARD_AT_MOST = 64


class RadioError(Exception):
    """There is no such radio here; the text names the cure."""


class AttError(LinkError):
    """The meter answered with a refusal, or lacks the characteristic; the link stands."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code  # Core Vol 3 Part F 3.4.1.1

    @property
    def bond_missing(self) -> bool:
        """Whether the meter asks for security first (authentication, key size, encryption)."""
        return self.code in (0x05, 0x0C, 0x0F)


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that each thing may take, in seconds."""

    connect_s: float = 45.0  # two attempts of 20 s; a meter that is awake answers within one
    gatt_s: float = 30.0  # ATT transaction timeout (Core Vol 3 Part F 3.3.3): later, none comes
    bond_s: float = 35.0  # SMP timeout is 30 s (Core Vol 3 Part H 3.4); its error comes after it
    close_s: float = 5.0  # BlueZ lingers 2 to 3 s before it drops a link
    pause_s: float = 5.0  # after a scanner that could not be started
    silence_s: float = 90.0  # not one advertisement, from nobody: scan anew; it costs nothing
    # What is wrong for so long is wrong. The kernel ends a scan every 10 s and bluetoothd starts it
    # again within 5 s; a bluetoothd that systemd starts again is back within two.
    deaf_s: float = 30.0  # the adapter does not scan though we do
    dark_s: float = 3.0  # it has no power
    gone_s: float = 4.0  # there is no bluetoothd
    look_s: float = 2.0  # how often such things are looked at


@dataclass(slots=True)
class Counters:
    """What happened on the radio since the start, for the status document."""

    heard: int = 0
    strangers: int = 0
    overrun: int = 0  # addresses dropped because nobody looked at them in time
    scans: int = 0
    scan_errors: int = 0
    connects: int = 0
    connect_errors: int = 0
    link_errors: int = 0
    bond_errors: int = 0  # bonds not made, keys that do not fit, bonds lost
    orphans: int = 0  # frames heard while no link had subscribed; they are stored all the same
    rearms: int = 0  # subscriptions made anew
    listener_errors: int = 0
    owner_losses: int = 0  # bluetoothd has gone
    cures: dict[str, int] = field(default_factory=dict)  # what was done for the adapter, how often
    heard_at: float | None = None  # time.monotonic() of the last advertisement of anybody

    def silent_s(self) -> float | None:
        """Seconds since anything at all was heard; None if nothing ever was."""
        return None if self.heard_at is None else time.monotonic() - self.heard_at


class Link(Protocol):
    """One connection to one meter. Every call has a time limit and may raise LinkError."""

    @property
    def address(self) -> str:
        """The meter's identity address, once bonded; capitals and colons."""

    @property
    def connected(self) -> bool: ...

    def has(self, characteristic: UUID) -> bool: ...

    def writable(self, characteristic: UUID) -> bool:
        """Whether the meter says that it can be written to."""

    async def bond(self) -> str:
        """Pair, unless the bond stands already; how: "just-works", "passkey", "before".

        Only with a meter that is expected (`Radio.expect`). Raises guests.BondError.
        """

    async def bonded(self) -> bool:
        """Whether both sides have the key, and the link is encrypted with it."""

    async def read(self, characteristic: UUID) -> bytes: ...

    async def write(self, characteristic: UUID, octets: bytes, response: bool = True) -> None: ...

    async def subscribe(self, characteristic: UUID) -> None: ...

    async def unsubscribe(self, characteristic: UUID) -> None: ...

    def frames(self) -> AsyncIterator[Frame]:
        """What was subscribed to, in the order of arrival; ends when the link is lost.

        May be given up and asked for again: what arrived in between is not missed.
        """

    def rest(self) -> list[Frame]:
        """What arrived and was not read yet, at once; for a reader that cannot go on."""


class Inbox:
    """Frames from callbacks, for one reader. What came before the loss is still read."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._stirred = asyncio.Event()
        self.lost = False

    def put(self, frame: Frame) -> bool:
        """False once the link is lost: its reader may have left."""
        if self.lost:
            return False
        self._frames.append(frame)
        self._stirred.set()
        return True

    def rest(self) -> list[Frame]:
        """What nobody has read yet; for a reader that cannot go on."""
        left = list(self._frames)
        self._frames.clear()
        return left

    def close(self) -> None:
        self.lost = True
        self._stirred.set()

    async def frames(self) -> AsyncIterator[Frame]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self.lost:
                return
            self._stirred.clear()
            await self._stirred.wait()


class Orphans:
    """Frames without a link, by address, for one reader."""

    def __init__(self) -> None:
        self._frames: deque[tuple[str, Frame]] = deque()
        self._stirred = asyncio.Event()

    def put(self, address: str, frame: Frame) -> None:
        self._frames.append((address, frame))
        self._stirred.set()

    async def next(self) -> tuple[str, Frame]:
        """Waits for one. Never lost: a caller that is cancelled has not taken it."""
        while not self._frames:
            self._stirred.clear()
            await self._stirred.wait()
        return self._frames.popleft()

    def rest(self) -> list[tuple[str, Frame]]:
        """What nobody has taken yet."""
        left = list(self._frames)
        self._frames.clear()
        return left


class Newest(Generic[T]):
    """The newest thing per address, oldest address first; bounded."""

    def __init__(self, counters: Counters, size: int = HEARD_AT_MOST) -> None:
        self._counters = counters
        self._size = size
        self._things: dict[str, T] = {}
        self._stirred = asyncio.Event()

    def put(self, address: str, thing: T) -> None:
        self._things[address] = thing
        if len(self._things) > self._size:
            del self._things[next(iter(self._things))]
            self._counters.overrun += 1
        self._stirred.set()

    def take(self) -> T | None:
        return self._things.pop(next(iter(self._things))) if self._things else None

    def clear(self) -> None:
        self._things.clear()

    def stir(self) -> None:
        self._stirred.set()

    async def wait(self) -> None:
        """Until there is something, or somebody stirred."""
        await self._stirred.wait()
        self._stirred.clear()
