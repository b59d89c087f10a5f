"""Answers about rows that wait for a technician, and his word on them carried out."""

import logging
from dataclasses import asdict
from decimal import Decimal
from typing import Literal

from gateway import identify, questions
from gateway.answers.common import Answer, Handlers, iso, patient
from gateway.clock import OurClock
from gateway.config import Config
from gateway.outbox import attention, shown, technician
from gateway.outbox.attention import Attention
from gateway.outbox.store import Store
from gateway.questions import EX_FAILED, Question, Unanswerable
from gateway.words import meter

log = logging.getLogger(__name__)


class Waiting:
    """`handlers`: by what is asked."""

    def __init__(self, store: Store, ours: OurClock, config: Config) -> None:
        self._store, self._ours, self._config = store, ours, config
        self.handlers: Handlers = {
            "reading": self._reading,
            "held": self._held,
            "parked": self._parked,
            "release": self._release,
            "bind": self._bind,
            "discard": self._discard,
        }

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
        rows = await self._store(attention.attention, state)
        return {"rows": [_row(each) for each in rows], "zone": self._config.gateway.zone}

    async def _release(self, question: Question) -> Answer:
        name = questions.row(question)
        await self._store(
            technician.release, name.kind, name.row, identify.public_id, self._ours.utc()
        )
        log.info("%s %d released by a technician", name.kind, name.row)
        return {}

    async def _bind(self, question: Question) -> Answer:
        name, whose = questions.row(question), patient(question, self._config)
        whole_slot = questions.flag(question, "slot_also")
        if name.kind == "frame":
            raise Unanswerable(f"f{name.row} has not become a reading: it cannot be anybody's")
        await self._store(
            technician.bind, name.row, whose, whole_slot, identify.public_id, self._ours.utc()
        )
        log.info("reading %d bound by a technician, slot also: %s", name.row, whole_slot)
        return {}

    async def _discard(self, question: Question) -> Answer:
        name = questions.row(question)
        await self._store(technician.discard, name.kind, name.row, self._ours.utc())
        log.info("%s %d discarded by a technician", name.kind, name.row)
        return {}


def _row(row: Attention) -> Answer:
    fields = asdict(row) | {"since": iso(row.since), "row": f"{row.kind[0]}{row.row}"}
    return fields | {"meter": meter(row.driver)}


def _number(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
