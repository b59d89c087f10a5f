"""What needs somebody, judged from facts: each condition names its cure. Pure.

Nobody measured, radio deaf, line down and backend silent are told apart: the first is none of
these, and no condition at all.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from gateway.config import Config
from gateway.contract import Condition
from gateway.outbox.aside import DROPPED
from gateway.outbox.facts import Facts
from gateway.words import meter, moment, shortened

SETTLING = timedelta(seconds=30)  # after a start: the line and the scanner take a moment
DEAF = timedelta(minutes=5)  # nothing heard, and the adapter gives errors
SILENT = timedelta(hours=24)  # nothing heard, though all seems well: even a quiet home has a meter
FAILING = 3  # sessions failed in a row: once or twice, somebody walked away with the meter
TOLD_OF_DAMAGE = timedelta(days=7)  # the outbox was salvaged: until then everybody has seen it
LOW_BATTERY = 15  # percent; many cuffs refuse to inflate below ten


@dataclass(frozen=True, slots=True)
class Seen:
    """What this process sees of itself, beside the rows."""

    now: datetime
    up_for: timedelta
    clock_trusted: bool
    down_since: datetime | None  # the line to the broker; None: it is up
    line_error: str | None
    scanning: bool
    unheard_for: timedelta  # since anything was heard on the radio, or since the start
    radio_errors: bool  # the scanner failed since anything was heard
    failing: Mapping[int, int] = field(default_factory=dict)  # device -> sessions failed in a row
    bonds_lost: Collection[int] = ()  # devices whose key does not fit any more
    line_cure: str | None = None


def conditions(facts: Facts, seen: Seen, config: Config) -> tuple[Condition, ...]:
    """Everything that needs somebody now, worst first."""
    zone = ZoneInfo(config.gateway.zone)
    return tuple(
        chain(
            _clock(facts, seen),
            _radio(seen),
            _line(facts, seen, config, zone),
            _outbox(facts, seen, config, zone),
            _devices(facts, seen),
            _rows(facts),
        )
    )


def _clock(facts: Facts, seen: Seen) -> Iterator[Condition]:
    if not seen.clock_trusted:
        waiting = (
            f"; {facts.waiting_for_clock} frames wait for it" if facts.waiting_for_clock else ""
        )
        yield Condition(
            id="clock-untrusted",
            text=f"The gateway's own clock is not set{waiting}. It sets itself over the network:"
            " check the network, and `timedatectl`.",
        )


def _line(facts: Facts, seen: Seen, config: Config, zone: ZoneInfo) -> Iterator[Condition]:
    if seen.down_since is not None:
        if seen.up_for > SETTLING:
            why = (seen.line_error or "no answer yet")[:250]
            why += "" if why.endswith("?") else "."
            cure = seen.line_cure or "Check the home's internet, then the section [broker]."
            yield Condition(
                id="line-down",
                text=f"No connection to the broker since {moment(seen.down_since, zone)}: {why}"
                f" Readings are kept. {cure}",
            )
        return  # what the other end does cannot be known
    silent = max(facts.unheard, facts.unanswered if config.broker.receipts else 0)
    if silent:
        last = facts.last_receipt
        before = "there never was one" if last is None else f"the last came {moment(last, zone)}"
        yield Condition(
            id="backend-silent",
            text=f"The broker takes readings, but {silent} of them have no confirmation ({before})."
            " Somebody must look at the receiver; the gateway sends again by itself.",
        )


def _radio(seen: Seen) -> Iterator[Condition]:
    if seen.up_for <= SETTLING:
        return
    minutes = seen.unheard_for // timedelta(minutes=1)
    if not seen.scanning or (seen.radio_errors and seen.unheard_for > DEAF):
        yield Condition(
            id="radio-deaf",
            text=f"The Bluetooth adapter does not listen (nothing heard for {minutes} min, and it"
            " gives errors). Unplug the gateway and plug it in again; if it stays so, change it.",
        )
    elif seen.unheard_for > SILENT:
        yield Condition(
            id="radio-silent",
            text=f"Not one Bluetooth device was heard for {minutes // 60} h, and the adapter gives"
            " no error. Measure once near the gateway: if nothing arrives, change the gateway.",
        )


def _rows(facts: Facts) -> Iterator[Condition]:
    dropped = facts.counters.get(DROPPED, 0)
    if facts.overflowing and dropped:
        yield Condition(
            id="parked-frames-dropped",
            text=f"{facts.overflowing} of the meters send so much that cannot be read that further"
            f" frames are dropped ({dropped} so far). Update the gateway and release what waits,"
            " or discard it: `hjemgate parked`.",
        )
    if facts.parked:
        yield Condition(
            id="parked-rows",
            text=f"{facts.parked} set aside because they could not be read or were refused: see"
            " `hjemgate parked`.",
        )
    if facts.held:
        yield Condition(
            id="held-rows",
            text=f"{facts.held} kept back until somebody says whose they are: see `hjemgate held`.",
        )


def _outbox(facts: Facts, seen: Seen, config: Config, zone: ZoneInfo) -> Iterator[Condition]:
    quota = config.outbox.quota_mib << 20
    if facts.full == "disk":
        yield Condition(
            id="disk-full",
            text="The disk is full: meters are not read, and keep their readings. Make room"
            " on it, or change the card.",
        )
    elif facts.full == "quota":
        yield Condition(
            id="outbox-full",
            text="The outbox is full: meters are not read and keep their readings. Restore the"
            " connection or the receiver; or raise outbox.quota_mib if the disk has room.",
        )
    elif facts.bytes * 2 > quota:
        yield Condition(
            id="outbox-half-full",
            text=f"The outbox takes {facts.bytes * 100 // quota} % of what it may. Restore the"
            " connection or the receiver; or raise outbox.quota_mib if the disk has room.",
        )
    if facts.salvaged_at is not None and seen.now - facts.salvaged_at < TOLD_OF_DAMAGE:
        yield Condition(
            id="outbox-salvaged",
            text=f"The outbox was found damaged {moment(facts.salvaged_at, zone)}. What could be"
            " read goes on; the damaged file lies beside it. The card may be dying: change it.",
        )


def _devices(facts: Facts, seen: Seen) -> Iterator[Condition]:
    for device in facts.devices:
        short = shortened(device.address)
        name = f"{meter(device.driver)} {short}"
        if not device.introduced:
            yield Condition(
                id=f"meter-needs-pairing/{short}",
                text=f"The meter {name} has not been met yet, and is not paired. Put it into"
                " pairing mode as its manual says, close to the gateway: `hjemgate pair`.",
            )
        elif not device.bound:
            yield Condition(
                id=f"meter-needs-person/{short}",
                text=f"The meter {name} is paired and belongs to nobody, so it is not read: say"
                " whose it is with `hjemgate devices add`, or `hjemgate forget` it.",
            )
        elif device.id in seen.bonds_lost:
            yield Condition(
                id=f"meter-bond-lost/{short}",
                text=f"The meter {name} is heard, but its key does not fit any more: it or the"
                " gateway has lost the pairing, or another device uses its address. Nothing is"
                " read, the meter keeps its readings. Pair it again: `hjemgate pair`.",
            )
        elif seen.failing.get(device.id, 0) >= FAILING:
            yield Condition(
                id=f"meter-fails/{short}",
                text=f"The meter {name} is heard, but could not be read {FAILING} times in a row or"
                " more. It keeps its readings. Measure once close to the gateway; if that does not"
                " help, the meter may have lost its pairing: forget it and add it again.",
            )
        if device.battery is not None and device.battery <= LOW_BATTERY:
            yield Condition(
                id=f"battery-low/{short}",
                text=f"The battery of the meter {name} is at {device.battery} %. Change it.",
            )
