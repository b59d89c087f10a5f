"""What the daemon answers on its control socket: facts, and decisions carried out."""

from collections.abc import Awaitable, Callable, Mapping

from drivers.api import Driver
from gateway import questions
from gateway.answers.common import Answer, Handlers, iso
from gateway.answers.journeys import Journeys
from gateway.answers.meters import Meters
from gateway.answers.waiting import Waiting
from gateway.clock import OurClock
from gateway.config import Config
from gateway.door import Door
from gateway.health import Health
from gateway.outbox.devices import Known
from gateway.outbox.facts import facts
from gateway.outbox.store import Store
from gateway.outbox.technician import Declined
from gateway.outbox.trace import Unclear
from gateway.questions import EX_FAILED, Question, Unanswerable

__all__ = ["Answer", "Answers"]


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
        self._store, self._config, self._health = store, config, health
        self._known: Handlers = {
            "status": self._status,
            **Meters(store, drivers, ours, config, changed, door).handlers,
            **Waiting(store, ours, config).handlers,
            **Journeys(store, ours, config).handlers,
        }

    async def answer(self, question: Question) -> Answer:
        asked = questions.text(question, "do")
        handler = self._known.get(asked)
        if handler is None:
            known = ", ".join([*self._known, "watch", "scan", "pair"])
            raise Unanswerable(f"do: {asked[:40]!r} is not known; known are {known}")
        try:
            return await handler(question)
        except (Known, Declined, Unclear) as error:
            raise Unanswerable(str(error), EX_FAILED) from error

    async def _status(self, _: Question) -> Answer:
        document = await self._health.document()
        known = await self._store(facts)
        return {
            "status": document.model_dump(mode="json"),
            "last_receipt": iso(known.last_receipt),
            "waiting_for_clock": known.waiting_for_clock,
            "zone": self._config.gateway.zone,
        }
