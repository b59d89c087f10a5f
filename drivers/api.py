"""The vocabulary of measurement: what a meter says, in words that no transport knows.

A driver is a record of data and functions, not a class hierarchy. `decode` is pure and total:
for any octets it returns Readings or raises DecodeError, and it never converts a number.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol
from uuid import UUID


class DecodeError(ValueError):
    """These octets are not what the specification says; a human must look at them."""


class LinkError(Exception):
    """The link to the meter failed; nothing is lost, it will be tried again."""


class Frame(NamedTuple):
    """A characteristic and its octets, exactly as they came."""

    characteristic: UUID
    octets: bytes


class Kind(StrEnum):
    """What was measured."""

    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    MEAN_PRESSURE = "mean-pressure"
    CUFF_PRESSURE = "cuff-pressure"
    PULSE_RATE = "pulse-rate"
    GLUCOSE = "glucose"
    BODY_TEMPERATURE = "body-temperature"
    BODY_WEIGHT = "body-weight"
    BODY_HEIGHT = "body-height"
    BMI = "bmi"
    OXYGEN_SATURATION = "oxygen-saturation"
    PULSE_AMPLITUDE_INDEX = "pulse-amplitude-index"


class Absent(StrEnum):
    """Why a value has no number (IEEE 11073-20601 special values; GSS 0xFFFF).

    Unknown is what the meter has to be told and was not: nothing failed.
    """

    NOT_A_NUMBER = "not-a-number"
    NOT_AT_THIS_RESOLUTION = "not-at-this-resolution"
    POSITIVE_INFINITY = "positive-infinity"
    NEGATIVE_INFINITY = "negative-infinity"
    RESERVED = "reserved"
    UNSUCCESSFUL = "unsuccessful"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Value:
    """One number with its UCUM unit, or the reason why there is none; never both."""

    kind: Kind
    number: Decimal | None  # with the precision sent: 2, 2.0 and 2.00 differ
    unit: str
    absent: Absent | None = None


class Code(NamedTuple):
    """A coded fact of a reading, e.g. Code("meal", "fasting"). Lists: docs/vocabulary.md."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One act of measurement, as the meter told it.

    `taken_at` is the device's own naive clock (user-facing time), None when it sent none or an
    impossible one; `taken_at_raw` then keeps the octets of the impossible one.
    """

    values: tuple[Value, ...] = ()
    taken_at: datetime | None = None
    taken_at_raw: bytes = b""
    flags: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    sequence: int | None = None
    user: int | None = None  # 0..254; an unknown user (0xFF) is None
    trailing: bytes = b""  # octets after the last field, by flags that are reserved today


@dataclass(frozen=True, slots=True)
class Advertisement:
    """One advertisement heard. `address` is what a connection is made to."""

    address: str
    name: str | None
    services: frozenset[UUID]
    rssi: int | None = None


@dataclass(frozen=True, slots=True)
class Certification:
    """What the Regulatory Certification Data List (0x2A2A) says by Continua's structures."""

    version: str = ""  # of Continua's guidelines, "6.0"
    interfaces: tuple[int, ...] = ()  # certified, by Continua's numbers: transport and kind
    regulated: bool | None = None  # a medical device by law; None: not told


@dataclass(frozen=True, slots=True)
class Udi:
    """UDI for Medical Devices (0x2BFF); empty where not given."""

    label: str = ""  # as people read it on the device
    device_identifier: str = ""  # the part that names maker and model
    issuer: str = ""  # OID
    authority: str = ""  # OID


class PnpId(NamedTuple):
    """PnP ID (0x2A50)."""

    source: int  # whose numbers: 1 Bluetooth SIG, 2 USB Implementers Forum
    vendor: int
    product: int
    version: int


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a meter says of itself (0x180A and beside it) as read last; empty where not given."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    hardware: str = ""
    firmware: str = ""
    software: str = ""
    system_id: bytes = b""  # 8 octets in EUI-64 order (most significant first); b"" if unusable
    certification: Certification | None = None
    udi: Udi | None = None
    pnp_id: PnpId | None = None
    clock: Literal["", "readable", "settable"] = ""  # what GATT offers; "": none, or not asked
    temperature_type: str = ""  # where a thermometer always measures: a code of its driver's list


class Bond(StrEnum):
    """Whether a reading may be taken over an unencrypted link."""

    REQUIRED = "required"
    NONE = "none"


class Session(Protocol):
    """What a conversation is handed: one link to one meter. Every call may raise LinkError.

    Whatever arrives on one of the driver's `data` characteristics is on disk before `frames`
    yields it.
    """

    @property
    def cursor(self) -> int | None:
        """The sequence number up to which this meter has been read in full.

        None: never, or its numbers do not serve: it is to be read in full again.
        """

    @property
    def mark(self) -> bytes | None:
        """Which record bears the cursor's number, as given to `advance`; None if not known."""

    @property
    def clock_trusted(self) -> bool:
        """Whether our own clock may be used to set the meter's."""

    def has(self, characteristic: UUID) -> bool:
        """Whether the meter offers this characteristic."""

    async def read(self, characteristic: UUID) -> bytes: ...

    async def write(self, characteristic: UUID, octets: bytes) -> None: ...

    async def subscribe(self, *characteristics: UUID) -> None:
        """Ask for notifications or indications, in the order given."""

    def frames(self, silence_s: float) -> AsyncIterator[Frame]:
        """Everything subscribed to, as it arrives; ends at *silence_s* without a frame.

        Ends as well, without an error, when the meter hangs up: for a push meter that is the
        ordinary end. Use `connected` where the difference matters.
        """

    @property
    def connected(self) -> bool: ...

    def local_time(self) -> datetime:
        """Our clock now, in the home's zone, naive: what a meter's clock ought to show."""

    async def clock_read(self, device_clock: datetime | None) -> None:
        """Record the pair (device clock, our clock) at this moment."""

    async def clock_set(self, device_clock: datetime) -> None:
        """Record that the meter's clock was just set to *device_clock*."""

    async def battery(self, percent: int) -> None:
        """Record the battery level, 0..100."""

    async def advance(self, sequence: int | None, mark: bytes | None) -> None:
        """Move the cursor: every record up to *sequence* is on disk and the meter said success.

        *mark* tells that record from another that bears its number after a reset. None: there is
        to be no cursor.
        """


Specialization = Literal[
    "blood-pressure", "glucose", "weight", "thermometer", "pulse-oximeter", "generic"
]


def alone(frames: Sequence[Frame]) -> Sequence[Sequence[Frame]]:
    """Each frame is a reading of its own: the usual `group`."""
    return [[frame] for frame in frames]


@dataclass(frozen=True, slots=True)
class Driver:
    """One kind of meter.

    `group` splits frames into those that may belong to one reading, so that a frame that does
    not decode spoils no other; `decode` turns one group into Readings. `join` is the octets by
    which a frame of a later moment finds its group on disk (None: it never does). `key` is the
    natural identity of a reading on its device, without anything that may be amended later (None:
    it has none: a context without its record, an intermediate value). `awaits`: whether one of a
    group has announced another frame that is not there and may change what it means.
    """

    name: str  # the module's name: "sig_blood_pressure"
    title: str  # for people: "Blood pressure monitor (Bluetooth SIG profile)"
    specialization: Specialization
    service: UUID  # what such a meter advertises
    data: tuple[UUID, ...]  # characteristics whose frames are kept on disk
    readable: tuple[UUID, ...]  # characteristics that `decode` understands
    decode: Callable[[Sequence[Frame]], Sequence[Reading]]
    converse: Callable[[Session], Awaitable[None]]
    key: Callable[[Sequence[Frame], Reading], bytes | None]
    group: Callable[[Sequence[Frame]], Sequence[Sequence[Frame]]] = alone
    join: Callable[[Frame], bytes | None] = field(default=lambda _: None)
    awaits: Callable[[Sequence[Frame]], bool] = field(default=lambda _: False)
    numbered: bool = False  # the key alone is unique for ever; a dated push needs its clock segment
    settles: Literal["frame", "session"] = "frame"  # when a group is complete
    bond: Bond = Bond.REQUIRED
    self_switching: bool = False  # the meter's clock follows daylight saving time by itself
    session_s: float = 120.0  # the longest a conversation may take
    flags: tuple[str, ...] = ()  # every flag that `decode` may set on a reading
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)  # by system

    def matches(self, advertisement: Advertisement) -> bool:
        """Whether a device that advertises like this is one of ours."""
        return self.service in advertisement.services


def sig_uuid(short: int) -> UUID:
    """A 16-bit UUID on the Bluetooth base UUID."""
    return UUID(f"{short:08x}-0000-1000-8000-00805f9b34fb")
