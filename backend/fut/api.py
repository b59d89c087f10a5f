"""The calls at FUT that a receiver makes, each with the right token."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from backend.fut import answers, plan, search, validity
from backend.fut.answers import Verdict
from backend.fut.order import Codes
from backend.fut.people import Person
from backend.fut.plan import NoPlan, Plan
from backend.fut.projection import Sought, Submission
from backend.onward import TryAgain, Undeliverable
from backend.onward_access import Access, Context
from backend.onward_answer import Answer
from backend.onward_http import Web
from backend.onward_json import Json

log = logging.getLogger("hjemgate.receiver")

AROUND = timedelta(hours=24)  # slots this far from the moment of a measurement are asked for
DEFINED_S = 3600.0  # a definition is read anew after so long


@dataclass(frozen=True, slots=True)
class Servers:
    """Base URLs, https://careplan.<environment>/fhir ...

    *plan*: without it an order is known by its own code alone. *task*: without it nothing is taken
    back.
    """

    careplan: str
    measurement: str
    plan: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Api:
    web: Web
    access: Access
    at: Servers
    _defined: dict[str, tuple[Codes, float]] = field(default_factory=dict)
    _odd: set[str] = field(default_factory=set)  # rows that have been told of

    async def plan(self, person: Person, moment: datetime) -> Plan:
        """What is asked of *person* around *moment*. Raises TryAgain."""
        asked = plan.question(person.patient, moment - AROUND, moment + AROUND, person.episodes)
        context = _context(person.patient)
        answer = await self._with_token(
            context,
            lambda h: self.web.send(f"{self.at.careplan}/$get-patient-procedures", asked, h),
        )
        if not answer.good or answer.body is None or answer.errors():
            raise TryAgain(_said("the care plan server", answer))
        try:
            urls = plan.definitions(answer.body, person.patient)
            defined = {url: await self._definition(url, context) for url in urls}
            found = plan.read(answer.body, person.patient, defined)
        except NoPlan as error:
            raise TryAgain(f"the care plan server: {error}") from error
        for row in set(found.odd) - self._odd:
            log.warning("FUT: a row of a care plan is left out, which is for its makers: %s", row)
        self._odd.update(found.odd)
        return found

    async def _definition(self, url: str, context: Context) -> Codes:
        """What an ActivityDefinition calls the activity; nothing, if it does not say or is not to
        be had. Our token goes to the server that was named, and to no other.
        """
        if self.at.plan is None or not url.startswith(f"{self.at.plan}/ActivityDefinition/"):
            return frozenset()
        now = asyncio.get_running_loop().time()
        codes, until = self._defined.get(url, (frozenset(), 0.0))
        if now < until:
            return codes
        bare = url.partition("|")[0]
        answer = await self._with_token(context, lambda h: self.web.get(bare, h))
        if answer.status in {404, 410}:
            codes = frozenset()
        elif not answer.good or answer.body is None or answer.errors():
            raise TryAgain(_said("the plan server", answer))
        else:
            codes = plan.definition_codes(answer.body)
        self._defined[url] = (codes, now + DEFINED_S)
        return codes

    async def submit(
        self, person: Person, submission: Submission, begin: Callable[[], Awaitable[None]]
    ) -> tuple[Verdict, str]:
        """Once, and once more if only the token was wrong. The text: for people, without values.

        *begin*: before each call, when the token is there. Raises NotSent and NoAnswer, TryAgain
        before the call if there is no token, and whatever *begin* raises.
        """

        async def call(headers: Mapping[str, str]) -> Answer:
            await begin()
            url = f"{self.at.measurement}/$submit-measurement"
            return await self.web.send(url, submission.parameters, headers)

        context = _context(person.patient, submission.episode)
        answer = await self._with_token(context, call)
        return answers.verdict(answer, len(submission.sought)), _said("FUT", answer)

    async def has(self, sought: Sequence[Sought], episode: str) -> bool:
        """Whether any of them is there; what went in one call is there as a whole, or not at all.

        Raises TryAgain where that cannot be known.
        """
        for each in sought:
            if await self._search(each, episode):
                return True
        return False

    async def take_back(self, sought: Sought, episode: str) -> None:
        """Return when it is invalid there. Raises TryAgain and Undeliverable."""
        if self.at.task is None:
            raise Undeliverable(
                "taken back, and FUT has it: to be invalidated there by hand"
                " (or name the task server in our settings)"
            )
        entries = await self._search(sought, episode)
        if not entries:
            raise Undeliverable("taken back, and FUT does not show it: look there what it has")
        context = _context(sought.patient, episode)
        for entry in entries:
            there = validity.found(entry, self.at.measurement)
            if there.status == validity.INVALID:
                continue
            if not there.version:
                raise TryAgain("the search before it is taken back tells no version")
            said = validity.statement(there, sought.patient, episode)
            url = f"{self.at.task}/ClinicalImpression/$set-measurement-validity"
            answer = await self._with_token(context, partial(self.web.send, url, said))
            validity.judge(answer, _said("FUT's task server", answer))

    async def _search(self, sought: Sought, episode: str) -> list[Json]:
        url, asked = f"{self.at.measurement}/Observation", search.query(sought, episode)
        answer = await self._with_token(
            _context(sought.patient, episode), lambda h: self.web.search(url, asked, h)
        )
        entries = search.found(answer, sought)
        if entries is None:
            raise TryAgain(_said("the search for what was sent", answer))
        return entries

    async def _with_token(
        self, context: Context, call: Callable[[Mapping[str, str]], Awaitable[Answer]]
    ) -> Answer:
        answer = await call(await self.access.headers(context))
        if answers.token_refused(answer):
            self.access.forget(context)
            answer = await call(await self.access.headers(context))
        return answer


def _context(patient: str, episode: str | None = None) -> Context:
    """The form fields with which FUT's token is bound to a person and an episode of care."""
    return {"patient_id": patient} | ({"episode_of_care_id": episode} if episode else {})


def _said(who: str, answer: Answer) -> str:
    named = answers.name_of(answer)
    half = ", and no whole body" if answer.body is None else ""
    return f"{who} answers {answer}{f', {named}' if named else ''}{half}"
