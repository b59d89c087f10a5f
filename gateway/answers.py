"""What the daemon answers on its control socket: facts, and decisions carried out."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from drivers.api import Driver, LinkError
from gateway import identify, questions
from gateway.clock import OurClock
from gateway.config import Config
from gateway.door import Door
from gateway.health import Health
from gateway.model import Patient
from gateway.outbox import devices, shown, technician
from gateway.outbox.database import Database
from gateway.outbox.devices import Binding, Known
from gateway.outbox.facts import DeviceFacts, facts
from gateway.outbox.store import Store
from gateway.outbox.technician import Attention, Declined
from gateway.pairing_window import EXPECTED_S
from gateway.questions import EX_FAILED, Question, Unanswerable
from gateway.words import meter, shortened

log = logging.getLogger(__name__)

Answer = dict[str, Any]


class Answers:
    """One method per question. Each raises Unanswerable, and nothing else that is foreseen."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        config: Config,
        health: Health,
        changed: Callable[[], Awaitable[None]],
        door: Door,
    ) -> None:
        self._store, self._drivers, self._ours = store, drivers, ours
        self._config, self._health, self._changed = config, health, changed
        self._door = door
        self._known: dict[str, Callable[[Question], Awaitable[Answer]]] = {
            "status": self._status,
            "devices": self._devices,
            "devices add": self._add,
            "devices forget": self._forget,
            "reading": self._reading,
            "held": self._held,
            "parked": self._parked,
            "release": self._release,
            "bind": self._bind,
            "discard": self._discard,
        }

    async def answer(self, question: Question) -> Answer:
        asked = questions.text(question, "do")
        handler = self._known.get(asked)
        if handler is None:
            known = ", ".join([*self._known, "watch", "scan", "pair"])
            raise Unanswerable(f"do: {asked[:40]!r} is not known; known are {known}")
        try:
            return await handler(question)
        except (Known, Declined) as error:
            raise Unanswerable(str(error), EX_FAILED) from error

    async def _status(self, _: Question) -> Answer:
        document = await self._health.document()
        known = await self._store(facts)
        return {
            "status": document.model_dump(mode="json"),
            "last_receipt": _iso(known.last_receipt),
            "waiting_for_clock": known.waiting_for_clock,
            "zone": self._config.gateway.zone,
        }

    async def _devices(self, question: Question) -> Answer:
        named = questions.flag(question, "patients")
        found = []
        for device in (await self._store(facts)).devices:
            slots = await self._store(devices.bindings, device.id)
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
            "added_at": _iso(device.added_at),
            "last_session": _iso(device.last_session),
            "last_outcome": device.last_outcome,
            "last_reading": _iso(device.last_reading),
        }

    async def _add(self, question: Question) -> Answer:
        driver = questions.driver(question, self._drivers)
        address, slot = questions.address(question), questions.slot(question)
        ignored = questions.flag(question, "ignore")
        if ignored == ("patient" in question):
            raise Unanswerable("say whose meter it is (patient), or that the slot is ignored")
        patient = None if ignored else self._patient(question)
        since = self._since(question)
        device = await self._store(
            devices.add, address, driver, patient, slot, since, self._ours.utc()
        )
        log.info("device %d (%s) added: %s, slot %s", device, shortened(address), driver, slot)
        await self._changed()
        window_s = await self._expect(question, address)
        return {"device": device, "address": address, "from": _iso(since), "window": window_s}

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

    def _patient(self, question: Question) -> Patient:
        fhir = self._config.fhir
        return Patient(fhir.patient_system, questions.patient(question), fhir.patient_reference)

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

    async def _reading(self, question: Question) -> Answer:
        """The one answer with values: for whoever has just measured, to compare."""
        name = questions.row(question)
        values = await self._store(shown.values, name.row) if name.kind == "reading" else None
        if values is None:
            raise Unanswerable("there is no such reading, or it was purged", EX_FAILED)
        log.info("reading %d was shown to a technician", name.row)
        return {"values": [asdict(each) | {"number": _number(each.number)} for each in values]}

    async def _held(self, _: Question) -> Answer:
        return await self._attention("held")

    async def _parked(self, _: Question) -> Answer:
        return await self._attention("parked")

    async def _attention(self, state: Literal["held", "parked"]) -> Answer:
        rows = await self._store(technician.attention, state)
        return {"rows": [_row(each) for each in rows], "zone": self._config.gateway.zone}

    async def _release(self, question: Question) -> Answer:
        name = questions.row(question)
        await self._store(
            technician.release, name.kind, name.row, identify.public_id, self._ours.utc()
        )
        log.info("%s %d released by a technician", name.kind, name.row)
        return {}

    async def _bind(self, question: Question) -> Answer:
        name, patient = questions.row(question), self._patient(question)
        whole_slot = questions.flag(question, "slot_also")
        if name.kind == "frame":
            raise Unanswerable(f"f{name.row} has not become a reading: it cannot be anybody's")
        await self._store(
            technician.bind, name.row, patient, whole_slot, identify.public_id, self._ours.utc()
        )
        log.info("reading %d bound by a technician, slot also: %s", name.row, whole_slot)
        return {}

    async def _discard(self, question: Question) -> Answer:
        name = questions.row(question)
        await self._store(technician.discard, name.kind, name.row, self._ours.utc())
        log.info("%s %d discarded by a technician", name.kind, name.row)
        return {}


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
        "from": _iso(binding.from_at),
        "to": _iso(binding.to_at),
        **who,
    }


def _row(row: Attention) -> Answer:
    fields = asdict(row) | {"since": _iso(row.since), "row": f"{row.kind[0]}{row.row}"}
    return fields | {"meter": meter(row.driver)}


def _number(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
