"""What goes into a receiver's store, and comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from backend.bundle import Contents

Settled = Literal["delivered", "undeliverable"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in what its gateway sends."""

    organisation: str
    gateway: str
    epoch: str
    seq: int

    @property
    def outbox(self) -> tuple[str, str]:
        """In which the same measurement cannot lie twice."""
        return (self.gateway, self.epoch)

    @property
    def stream(self) -> tuple[str, str, str]:
        """In which `seq` counts."""
        return (self.organisation, self.gateway, self.epoch)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One reading as it came, found to be of the contract."""

    id: UUID
    version: int
    sha256: str
    body: bytes
    place: Place
    late: bool
    contents: Contents


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that was not taken, and why. `place`: if it is known who sent it."""

    topic: str
    sha256: str
    reason: str
    body: bytes = b""
    properties: tuple[tuple[str, str], ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message."""

    status: Literal["stored", "duplicate", "rejected"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A row, for whoever reads the store. `body` is empty once it has been removed."""

    id: UUID
    version: int
    sha256: str
    body: bytes
    gateway: str
    epoch: str
    seq: int
    late: bool
    first_at: datetime
    deliveries: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What nobody could take; without `octets` where it was too large or there were too many."""

    number: int
    topic: str
    sha256: str
    reason: str
    first_at: datetime
    last_at: datetime
    deliveries: int
    octets: int | None


@dataclass(frozen=True, slots=True)
class ToHandOn:
    """The next reading for whoever stands behind the receiver."""

    position: int  # in the queue
    id: UUID
    version: int
    sha256: str
    organisation: str
    gateway: str
    epoch: str
    body: bytes
    attempts: int  # before this one
    by_then: Settled | None = None  # what became of a later version: this one is not handed on
