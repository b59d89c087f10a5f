"""Answers about meters: which there are, whose they are; a meter comes, a meter goes."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from drivers.api import Driver, LinkError
from gateway import questions
from gateway.answers.common import Answer, Handlers, iso, patient
from gateway.clock import OurClock
from gateway.config import Config
from gateway.door import Door
from gateway.outbox import bindings, devices
from gateway.outbox.bindings import Binding
from gateway.outbox.database import Database
from gateway.outbox.devices import Known
from gateway.outbox.facts import DeviceFacts, facts
from gateway.outbox.store import Store
from gateway.pairing_window import EXPECTED_S
from gateway.questions import EX_FAILED, Question, Unanswerable
from gateway.words import shortened

log = logging.getLogger(__name__)


class Meters:
    """`handlers`: by what is asked."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        config: Config,
        changed: Callable[[], Awaitable[None]],
        door: Door,
    ) -> None:
        self._store, self._drivers, self._ours = store, drivers, ours
        self._config, self._changed, self._door = config, changed, door
        self.handlers: Handlers = {
            "devices": self._devices,
            "devices add": self._add,
            "devices forget": self._forget,
        }

    async def _devices(self, question: Question) -> Answer:
        named = questions.flag(question, "patients")
        found = []
        for device in (await self._store(facts)).devices:
            slots = await self._store(bindings.bindings, device.id)
            found.append(self._device(device) | {"slots": [_slot(each, named) for each in slots]})
        return {"devices": found, "zone": self._config.gateway.zone}

    def _device(self, device: DeviceFacts) -> Answer:
        driver = self._drivers.get(device.driver)
        return {
            "address": device.address,
            "driver": device.driver,
            "title": driver.title if driver else "no driver of this name in this version",
            "met": device.introduced,
            "bond": device.bond,
            "battery": device.battery,
            "cursor": device.cursor,
            "added_at": iso(device.added_at),
            "last_session": iso(device.last_session),
            "last_outcome": device.last_outcome,
            "last_reading": iso(device.last_reading),
        }

    async def _add(self, question: Question) -> Answer:
        driver = questions.driver(question, self._drivers)
        address, slot = questions.address(question), questions.slot(question)
        ignored = questions.flag(question, "ignore")
        if ignored == ("patient" in question):
            raise Unanswerable("say whose meter it is (patient), or that the slot is ignored")
        whose = None if ignored else patient(question, self._config)
        since = self._since(question)
        device = await self._store(
            devices.add, address, driver, whose, slot, since, self._ours.utc()
        )
        log.info("device %d (%s) added: %s, slot %s", device, shortened(address), driver, slot)
        await self._changed()
        window_s = await self._expect(question, address)
        return {"device": device, "address": address, "from": iso(since), "window": window_s}

    async def _expect(self, question: Question, address: str) -> float | None:
        """Open a window for a meter that was not met yet; for how long, None: none is needed."""
        found = await self._store(devices.find, address)
        if questions.flag(question, "no_window") or found is None or found.identity is not None:
            return None
        if self._door.windows.find(address) is None:
            await self._door.windows.open(address, EXPECTED_S)
        return EXPECTED_S

    def _since(self, question: Question) -> datetime:
        since = questions.moment(question, "from", self._ours.zone)
        if since is None and not self._ours.trusted:
            raise Unanswerable(
                "the gateway's clock is not set yet, so it cannot tell old readings from new ones:"
                " wait until it is (timedatectl), or say from when the readings are this person's",
                EX_FAILED,
            )
        return since or self._ours.utc()

    async def _forget(self, question: Question) -> Answer:
        address = questions.address(question)
        unsent_too = questions.flag(question, "unsent_too")
        removed = await self._store(_forget, address, unsent_too, self._ours.utc())
        log.info("device %d (%s) forgotten", removed, shortened(address))
        if window := self._door.windows.find(address):
            await self._door.windows.close(window, "the meter was forgotten")
        await self._changed()
        try:
            await self._door.unbond(address)
        except LinkError as error:
            log.warning("%s: its bond could not be deleted: %s", shortened(address), error)
            return {"address": address, "bond": "kept"}
        return {"address": address, "bond": "deleted"}


def _forget(db: Database, address: str, unsent_too: bool, now: datetime) -> int:
    """Look and act in one step on the outbox's thread: no reading slips in between."""
    device = devices.find(db, address)
    if device is None:
        raise Known(f"{address} is not a meter of this home; `hjemgate devices` lists them")
    unsent = devices.unsent(db, device.id)
    if unsent and not unsent_too:
        raise Known(
            f"{unsent} rows of {address} are held by nobody else yet and would be lost: wait until"
            " they are confirmed, or repeat it with --unsent-too"
        )
    devices.forget(db, device.id, now)
    return device.id


def _slot(binding: Binding, named: bool) -> Answer:
    who = {"patient": binding.patient.value} if named and binding.patient else {}
    return {
        "slot": binding.slot,
        "ignored": binding.patient is None,
        "from": iso(binding.from_at),
        "to": iso(binding.to_at),
        **who,
    }
