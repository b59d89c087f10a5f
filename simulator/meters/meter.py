"""What every virtual meter has in common, for those who hold one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from drivers.api import Frame, Value

HOME = ZoneInfo("Europe/Copenhagen")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a meter says it is (Device Information, 0x180A)."""

    name: str
    address: str  # random static: the two top bits are set
    manufacturer: str
    model: str
    serial: str
    firmware: str
    system_id: bytes = b""  # 8 octets as 0x2A23 sends them, least significant first; b"": none
    hardware: str = ""
    software: str = ""
    certification: bytes = b""  # these as they are sent; see `simulator.meters.information`
    udi: bytes = b""
    pnp_id: bytes = b""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a meter spends its battery."""

    awake_s: float = 45.0  # advertises so long after a measurement, unless collected
    idle_s: float = 6.0  # hangs up when a connection has been quiet for so long
    advertising_ms: int = 60
    gives_up_after: int | None = None  # hangs up in the middle: once, after so many frames
    private: bool = False  # advertises by a resolvable private address; for a host with BlueZ
    passkey: int | None = None  # shown on its display when it is paired; None: "Just Works"


@dataclass(frozen=True, slots=True)
class Measured:
    """One act of measurement, as the meter knows it."""

    meter: str
    address: str
    at: datetime  # aware UTC, the truth
    taken_at: datetime  # what the meter's own clock showed, naive
    values: tuple[Value, ...]
    frames: tuple[Frame, ...]  # as it sends them
    codes: Mapping[str, str]  # context, e.g. {"meal": "fasting"}


class Meter(Protocol):
    """One virtual meter of a home."""

    @property
    def kind(self) -> str:
        """Its specialization in the words of `drivers.api`: "blood-pressure", "glucose" ..."""

    @property
    def driver(self) -> str:
        """The driver that reads it."""

    @property
    def identity(self) -> Identity: ...

    @property
    def measured(self) -> list[Measured]:
        """Everything it ever measured, oldest first."""

    @property
    def collected(self) -> list[Measured]:
        """What a gateway confirmed."""

    def measure(self, at: datetime | None = None) -> Measured:
        """Take one reading (now, or *at*, aware UTC), keep it, and wake up to be collected."""

    def wake(self) -> None:
        """Advertise for a while, as after a press on the pairing button."""


class Clock:
    """A meter's own clock: the time of the home, wrong by *offset*, and settable."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def shows(self, at: datetime) -> datetime:
        """What it shows at *at* (aware), naive, whole seconds."""
        return (at.astimezone(HOME).replace(tzinfo=None) + self.offset).replace(microsecond=0)

    def showed(self, at: datetime, now: datetime) -> datetime:
        """What it showed at *at* if nobody has touched it until *now*: the same hour of summer or
        winter as now, on whichever side of a change *at* is.
        """
        running = now.astimezone(HOME).replace(tzinfo=None) + self.offset
        return (running - (now - at)).replace(microsecond=0)

    def set(self, shown: datetime, at: datetime) -> None:
        self.offset = shown - at.astimezone(HOME).replace(tzinfo=None, microsecond=0)
