"""Answers about journeys: one reading's, and one more for what was confirmed already."""

import logging
from dataclasses import asdict

from gateway import questions, replay
from gateway.answers.common import Answer, Handlers, iso
from gateway.clock import OurClock
from gateway.config import Config
from gateway.outbox import trace
from gateway.outbox.store import Store
from gateway.outbox.trace import Journey
from gateway.outbox.withdrawal import withdraw
from gateway.questions import EX_FAILED, Question, Unanswerable
from gateway.words import meter, shortened

log = logging.getLogger(__name__)


class Journeys:
    """`handlers`: by what is asked."""

    def __init__(self, store: Store, ours: OurClock, config: Config) -> None:
        self._store, self._ours, self._config = store, ours, config
        self.handlers: Handlers = {
            "trace": self._trace,
            "replay": self._replay,
            "withdraw": self._withdraw,
        }

    async def _trace(self, question: Question) -> Answer:
        found = await self._store(trace.journey, questions.reading_name(question))
        steps = [asdict(step) | {"at": iso(step.at)} for step in found.steps]
        return {"reading": _head(found), "steps": steps, "zone": self._config.gateway.zone}

    async def _replay(self, question: Question) -> Answer:
        first, last = questions.number(question, "first"), questions.number(question, "last")
        since = questions.moment(question, "since", self._ours.zone)
        now = self._ours.utc()
        try:
            if since is not None and first is None and last is None:
                result = await replay.by_time(self._store, since, now)
            elif since is None and first:
                result = await replay.by_number(self._store, first, last, now)
            else:
                raise Unanswerable("say from which number on (first), or from when (since)")
        except replay.TooMany as error:
            raise Unanswerable(str(error), EX_FAILED) from error
        log.info("%d readings go out again by a technician's word", result.again)
        return result.model_dump(mode="json")

    async def _withdraw(self, question: Question) -> Answer:
        name, undo = questions.reading_name(question), questions.flag(question, "undo")
        row = await self._store(withdraw, name, self._ours.utc(), undo=undo)
        log.info("reading %d %s by a technician", row, "restored" if undo else "withdrawn")
        return {"row": f"r{row}"}


def _head(found: Journey) -> Answer:
    fields = asdict(found) | {"measured": iso(found.measured), "row": f"r{found.row}"}
    del fields["steps"]
    return fields | {"meter": meter(found.driver), "address": shortened(found.address)}
