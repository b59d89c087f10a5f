"""The status document: computed from rows and from what the process sees, never from intentions."""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from drivers.api import Bond
from drivers.registry import all_drivers
from gateway.clock import OurClock
from gateway.conditions import Seen, conditions
from gateway.config import Config
from gateway.contract import (
    ClockHealth,
    DeviceHealth,
    Oldest,
    OutboxHealth,
    RadioHealth,
    Rows,
    Status,
    UplinkHealth,
)
from gateway.live import Live
from gateway.outbox.facts import DeviceFacts, Facts, facts
from gateway.outbox.store import Store
from gateway.words import shortened

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often health is looked at, and told at most."""

    look_s: float = 10.0  # a handful of counts: cheap, and soon enough for a technician's eyes
    least_s: float = 60.0  # contract: a changed condition is told at most once a minute


class Health:
    """Facts in, a document out."""

    def __init__(
        self, store: Store, ours: OurClock, config: Config, live: Live, pace: Pace | None = None
    ) -> None:
        self._store, self._ours, self._config, self._live = store, ours, config, live
        self._pace = pace or Pace()
        self._version = version("hjemgate")
        self._started = time.monotonic()
        self._down_since: datetime | None = live.started_at
        self._ear = (0, 0)  # advertisements heard, and scanner errors when they were

    async def document(self) -> Status:
        """As things stand now."""
        return self._status(await self._store(facts))

    async def due(self, told: Status) -> Status:
        """Wait until there is more to tell than *told*, the document published last.

        That is: once an hour, at a minute of this gateway's own, and whenever the set of
        conditions changes, at most once a minute.
        """
        spoken = time.monotonic()
        while True:
            await asyncio.sleep(self._pace.look_s)
            document = await self.document()
            if self._hour(document.at) != self._hour(told.at):
                return document
            changed = _ids(document) != _ids(told)
            if changed and time.monotonic() - spoken >= self._pace.least_s:
                return document

    def _hour(self, at: datetime) -> int:
        """Which hour this is, counted from a minute that spreads a fleet over the hour."""
        digest = hashlib.sha256(self._config.gateway.id.encode()).digest()
        shift = timedelta(minutes=digest[0] % 60)
        return (at - shift - datetime(1970, 1, 1, tzinfo=UTC)) // HOUR

    def _status(self, known: Facts) -> Status:
        live, now = self._live, self._ours.utc()
        seen = self._seen(now)
        return Status(
            at=now,
            gateway=self._config.gateway.id,
            version=self._version,
            epoch=known.epoch,
            last_seq=known.last_seq,
            oldest_unreceipted=_oldest(known, now),
            rows=_rows(known),
            clock=ClockHealth(trusted=self._ours.trusted, source=self._ours.source),
            radio=RadioHealth(
                scanning=seen.scanning and not seen.radio_errors,
                heard_ago_s=live.radio.counters.silent_s(),
                links=live.radio.links,
            ),
            uplink=UplinkHealth(
                connected_at=live.uplink.connected_at,
                failures=live.uplink.failures,
                last_error=live.uplink.last_error and live.uplink.last_error[:500],
                last_puback_at=_later(known.last_puback, live.uplink.last_puback_at),
                last_receipt_at=_later(known.last_receipt, live.uplink.last_receipt_at),
            ),
            outbox=OutboxHealth(
                bytes=known.bytes,
                quota=self._config.outbox.quota_mib << 20,
                last_commit_ago_s=self._store.idle_s,
            ),
            devices=tuple(
                _device(each, lost=each.id in live.radio.bonds_lost) for each in known.devices
            ),
            counters=known.counters | self._counters(),
            conditions=conditions(known, seen, self._config),
        )

    def _seen(self, now: datetime) -> Seen:
        live, up_s = self._live, time.monotonic() - self._started
        if live.uplink.connected_at is not None:
            self._down_since = None
        elif self._down_since is None:
            self._down_since = now
        counters = live.radio.counters
        if counters.heard != self._ear[0]:
            self._ear = (counters.heard, counters.scan_errors)
        silent_s = counters.silent_s()
        return Seen(
            now=now,
            up_for=timedelta(seconds=up_s),
            clock_trusted=self._ours.trusted,
            down_since=self._down_since,
            line_error=live.uplink.last_error,
            line_cure=live.uplink.cure,
            scanning=live.radio.scanning,
            unheard_for=timedelta(seconds=up_s if silent_s is None else silent_s),
            radio_errors=counters.scan_errors != self._ear[1],
            failing=live.radio.failing,
            bonds_lost=live.radio.bonds_lost,
        )

    def _counters(self) -> dict[str, int]:
        counters = self._live.radio.counters
        return {
            "radio connects": counters.connects,
            "radio connect errors": counters.connect_errors,
            "radio link errors": counters.link_errors,
            "radio bond errors": counters.bond_errors,
            "radio scan errors": counters.scan_errors,
            "radio overrun": counters.overrun,
            "radio orphans": counters.orphans,
            "radio subscriptions": counters.rearms,
            "radio subscription errors": counters.listener_errors,
            "bluetoothd gone": counters.owner_losses,
            **{f"radio: {cure}": times for cure, times in counters.cures.items()},
            "clock steps": self._ours.steps,
            "odd receipts": self._live.uplink.odd_receipts,
            "commands refused": self._live.uplink.refused_commands,
        }


def _ids(document: Status) -> frozenset[str]:
    return frozenset(condition.id for condition in document.conditions)


def _oldest(known: Facts, now: datetime) -> Oldest | None:
    if known.oldest is None:
        return None
    age_s = max(0.0, (now - known.oldest.since).total_seconds())  # our clock may have been set
    return Oldest(seq=known.oldest.seq, age_s=age_s)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """What the rows know, or this process has seen since."""
    return max((each for each in (one, other) if each is not None), default=None)


def _rows(known: Facts) -> Rows:
    return Rows(
        captured=known.captured,
        pending=known.pending,
        published=known.published,
        received=known.received,
        held=known.held,
        parked=known.parked,
    )


def _device(device: DeviceFacts, *, lost: bool) -> DeviceHealth:
    """*lost*: its key does not fit any more, whatever was once written down."""
    driver = all_drivers().get(device.driver)
    required = driver is not None and driver.bond is Bond.REQUIRED
    bonded = device.introduced and device.bond not in ("none", "none yet") and not lost
    return DeviceHealth(
        device=shortened(device.address),
        driver=device.driver,
        last_session=device.last_session,
        last_reading=device.last_reading,
        battery=device.battery,
        bond="bonded" if bonded else "missing" if required else "none",
    )
