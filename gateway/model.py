"""What the rooms of the gateway hand to each other. Pure, frozen, complete once built."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from drivers.api import DeviceInfo, Reading, Specialization


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """This gateway, as FHIR's PhgDevice names it."""

    id: str  # "gw-" + 10 of 0-9a-hjkmnp-tv-z
    version: str
    clock: str  # "ntp", "assumed", "receipt" or "none": where our time comes from
    manufacturer: str = "hjemgate"
    model: str = "hjemgate"


@dataclass(frozen=True, slots=True)
class Patient:
    """An opaque identifier of the citizen; never a CPR number."""

    system: str
    value: str
    reference: str = "conditional"  # or "logical" (Patient/<value>) or "entry" (a Patient resource)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A meter, its identity and information frozen at first contact."""

    identity: str  # 16 hex digits of a valid System ID, else 12 of the identity address
    address: str  # "C0:11:22:33:44:55"
    driver: str
    specialization: Specialization
    info: DeviceInfo


@dataclass(frozen=True, slots=True)
class ClockPair:
    """The device's clock and ours, read in the same breath: one per session."""

    session: UUID
    device_clock: datetime | None  # naive
    our_clock: datetime  # aware UTC


@dataclass(frozen=True, slots=True)
class Record:
    """One reading with everything that its Bundle says."""

    id: UUID  # stable: the same for every version, and from a replaced gateway
    version: int  # 1; higher for an amended reading
    patient: Patient
    device: DeviceRecord
    gateway: GatewayInfo
    reading: Reading
    effective: datetime | None  # aware UTC; None: the time cannot be known
    issued: datetime | None  # aware UTC: when this version reached us; None: it is not known
    clock: ClockPair | None
    simulated: bool
    shares_stamp: bool = False  # another reading of the meter bears the same stamp
    former: tuple[Reading, ...] = ()  # what earlier versions said, oldest first
    withdrawn: bool = False  # a technician's word: it should never have been sent
    zone: str = "Europe/Copenhagen"  # only formats: UTC is what is stored

    @property
    def amended(self) -> bool:
        return self.version > 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment by our clocks, as stored with every frame."""

    wall: datetime  # aware UTC
    boottime: timedelta  # CLOCK_BOOTTIME
    boot_id: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A span in which a meter's clock ran free: UTC = device clock + offset.

    Device times are naive, as `clock.running` gives them. `seen` is the last reading of the clock.
    """

    id: int  # 0: not stored yet
    offset: timedelta
    device_from: datetime | None  # None: as far back as its memory goes
    device_to: datetime | None  # None: still running
    seen: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered Bundle on its way up. `body` is sent byte for byte, every time."""

    row: int  # negative: of an announcement
    id: UUID
    version: int
    epoch: str
    seq: int
    taken_at: datetime | None  # aware UTC, for the CloudEvents attribute `time`
    late: bool  # older than 24 h when rendered
    sha256: str  # of body, hex
    body: bytes
    attempt: int  # 1 for the first publish
    about: Literal["observation", "device"] = "observation"
