"""The status document: what is known of a gateway's health, on `up/status`, retained.

Facts only, nothing personal: a device is named by its driver and a shortened address.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from gateway.contract.base import Emitted, GatewayId, Text, Word

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Oldest(Emitted):
    """The oldest reading whose receipt has not come."""

    seq: Count
    age_s: Seconds


class Rows(Emitted):
    """Readings in the outbox, by state."""

    captured: Count = 0
    pending: Count = 0
    published: Count = 0
    received: Count = 0
    held: Count = 0
    parked: Count = 0


class ClockHealth(Emitted):
    """Whether our clock may be believed, and why."""

    trusted: bool
    source: Word = Field(description="ntp, rtc, receipt, assumed or none.")


class RadioHealth(Emitted):
    """The Bluetooth adapter."""

    scanning: bool
    heard_ago_s: Seconds | None = Field(
        default=None, description="Since any advertisement was heard; null: none yet."
    )
    links: Count = Field(default=0, description="Open connections to meters.")


class UplinkHealth(Emitted):
    """The connection to the broker."""

    connected_at: AwareDatetime | None = None
    failures: Count = Field(default=0, description="Failed or lost connections since the start.")
    last_error: Text | None = Field(
        default=None,
        description="Why the last connection failed or was lost, in words for a technician.",
    )
    last_puback_at: AwareDatetime | None = Field(
        default=None, description="When the broker last took a reading; null: not known."
    )
    last_receipt_at: AwareDatetime | None = Field(
        default=None, description="When a receiver last said a word on a reading; null: not known."
    )


class OutboxHealth(Emitted):
    """The store on disk."""

    bytes: Count
    quota: Count
    last_commit_ago_s: Seconds | None = Field(
        default=None, description="Since anything was written; null: not since the start."
    )


class DeviceHealth(Emitted):
    """One meter."""

    device: Word = Field(description="Shortened; names no person and no full address.")
    driver: Word
    last_session: AwareDatetime | None = None
    last_reading: AwareDatetime | None = None
    battery: Annotated[int, Field(ge=0, le=100)] | None = None
    bond: Literal["bonded", "missing", "none"] = Field(
        default="none", description="none: this kind of meter needs no bond."
    )


class Condition(Emitted):
    """Something that needs somebody; present as long as it lasts."""

    id: Word
    text: Text


class Status(Emitted):
    """Body of `up/status` from a gateway that is there."""

    online: Literal[True] = True
    at: AwareDatetime
    gateway: GatewayId
    version: Word
    epoch: Word = Field(description="New with every outbox; `seq` counts within it.")
    last_seq: Count | None = Field(description="The last `seq` given; null: none yet.")
    oldest_unreceipted: Oldest | None
    rows: Rows
    clock: ClockHealth
    radio: RadioHealth
    uplink: UplinkHealth
    outbox: OutboxHealth
    devices: tuple[DeviceHealth, ...] = ()
    counters: dict[str, Count] = Field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()


class Offline(Emitted):
    """Body of `up/status` as the broker's will says it: the gateway has been away for 120 s."""

    online: Literal[False] = False
    at: AwareDatetime = Field(description="When the connection that was lost had been opened.")
    gateway: GatewayId
    version: Word
