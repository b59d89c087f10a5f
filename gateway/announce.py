"""Devices to messages: a meter or this gateway is told to the backend, and again when it changes.

Bundles of readings only create Devices; what is there already they leave as it is. So the new
software of a gateway, or what a meter says of itself anew, travels by itself.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

from drivers.api import Driver
from gateway.clock import OurClock
from gateway.fhir import announcement, device, gate, names
from gateway.fhir.serial import Resource, dumps
from gateway.model import DeviceRecord
from gateway.outbox import announcements, devices
from gateway.outbox.announcements import Announcement
from gateway.outbox.devices import Device
from gateway.outbox.store import Store
from gateway.terms import Terms

log = logging.getLogger(__name__)

LOOK_S = 30.0  # between two looks, if anything was written in between
VERSION_ZERO = datetime(2020, 1, 1, tzinfo=UTC)


class Announce:
    """Looks for Devices that have changed, for ever. Nothing is said before our clock is right."""

    def __init__(
        self, store: Store, drivers: Mapping[str, Driver], ours: OurClock, terms: Terms
    ) -> None:
        self._store, self._drivers, self._ours, self._terms = store, drivers, ours, terms

    async def run(self) -> NoReturn:
        while True:
            seen = self._store.revision
            if self._ours.trusted:
                await self.look()
            await asyncio.sleep(LOOK_S)
            if self._ours.trusted:
                await self._store.changed(seen)

    async def look(self) -> None:
        """Say whatever has not been said."""
        gateway = replace(self._terms.gateway, clock=self._ours.source)
        simulated = self._terms.simulated
        await self._tell(
            None,
            names.gateway(gateway.id),
            device.gateway(gateway, simulated),
            # Where our time comes from is a state of the moment, and no change of the Device.
            device.gateway(self._terms.gateway, simulated),
        )
        for meter in await self._store(devices.all_devices):
            if (record := self._record(meter)) is not None:
                resource = device.meter(record, simulated)
                await self._tell(meter.id, names.meter(record.identity), resource, resource)

    def _record(self, meter: Device) -> DeviceRecord | None:
        driver = self._drivers.get(meter.driver)
        if driver is None or meter.identity is None or meter.info is None:
            return None
        return DeviceRecord(
            meter.identity, meter.address, driver.name, driver.specialization, meter.info
        )

    async def _tell(
        self, row: int | None, name: UUID, resource: Resource, compared: Resource
    ) -> None:
        """*compared*: what of it counts as a change."""
        contents = dumps(compared)
        last = await self._store(announcements.last_version, name, contents)
        if last is None:
            return
        now = self._ours.utc()
        version = max(last + 1, version_at(now))
        terms = self._terms
        body = announcement(name, version, resource, now, terms.zone.key, simulated=terms.simulated)
        if self._terms.gate:
            await asyncio.to_thread(gate.parse, body)  # the first time it loads models
        await self._store(
            announcements.announce, Announcement(row, name, version, contents, body), now
        )
        log.info("%s is announced", "this gateway" if row is None else f"device {row}")


def version_at(now: datetime) -> int:
    """Whole seconds since 2020: of two gateways' words on one meter the later is the higher."""
    return int((now - VERSION_ZERO).total_seconds())
