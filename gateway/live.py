"""What this process knows of itself right now: facts for health, written by those who see them.

Each part has one writer. Nothing here decides anything; the rows do.
"""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.link import Counters


@dataclass(slots=True)
class UplinkFacts:
    """Written by deliver."""

    connected_at: datetime | None = None  # None: not connected now
    failures: int = 0  # failed or lost connections since the start
    last_error: str | None = None  # of the last that failed or was lost, in a technician's words
    cure: str | None = None  # and what to do about it
    last_puback_at: datetime | None = None
    last_receipt_at: datetime | None = None
    odd_receipts: int = 0  # messages that are no receipts: retained, unreadable, not for us
    refused_commands: int = 0  # retained, unreadable, unsigned, expired, old or unknown

    def lost(self, error: str, cure: str) -> None:
        """Failed, or lost."""
        self.connected_at, self.last_error, self.cure = None, error, cure
        self.failures += 1


@dataclass(slots=True)
class RadioFacts:
    """Written by collect."""

    scanning: bool = False
    links: int = 0
    last_error: str | None = None
    failing: dict[int, int] = field(default_factory=dict)  # device -> sessions failed in a row
    bonds_lost: set[int] = field(default_factory=set)  # devices whose key does not fit any more
    counters: Counters = field(default_factory=Counters)  # the radio's own


@dataclass(slots=True)
class Live:
    """All of it."""

    started_at: datetime
    uplink: UplinkFacts = field(default_factory=UplinkFacts)
    radio: RadioFacts = field(default_factory=RadioFacts)
