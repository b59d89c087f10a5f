"""The three calls at FUT that a receiver makes, each with the right token."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.fut import answers, plan
from backend.fut.answers import Verdict
from backend.fut.people import Person
from backend.fut.plan import Activity, NoPlan
from backend.fut.projection import Sought, Submission
from backend.onward import TryAgain
from backend.onward_access import Access, Context
from backend.onward_http import Answer, Web
from backend.onward_json import Json, part, parts, word

AROUND = timedelta(hours=24)  # slots this far from the moment of a measurement are asked for


@dataclass(frozen=True, slots=True)
class Api:
    """*careplan*, *measurement*: base URLs, https://careplan.<environment>/fhir ..."""

    web: Web
    access: Access
    careplan: str
    measurement: str

    async def plan(self, person: Person, moment: datetime) -> tuple[Activity, ...]:
        """What is asked of *person* around *moment*. Raises TryAgain."""
        asked = plan.question(person.patient, moment - AROUND, moment + AROUND, person.episodes)
        context = _context(person.patient)
        answer = await self._with_token(
            context,
            lambda h: self.web.send(f"{self.careplan}/$get-patient-procedures", asked, h),
        )
        if not answer.good or answer.body is None or answer.errors():
            raise TryAgain(_said("the care plan server", answer))
        try:
            return plan.activities(answer.body, person.patient)
        except NoPlan as error:
            raise TryAgain(f"the care plan server: {error}") from error

    async def submit(self, person: Person, submission: Submission) -> tuple[Verdict, str]:
        """Once, and once more if only the token was wrong. The text: for people, without values.

        Raises NotSent and NoAnswer, and TryAgain before the call if there is no token.
        """
        context = _context(person.patient, submission.episode)
        answer = await self._with_token(
            context,
            lambda h: self.web.send(
                f"{self.measurement}/$submit-measurement", submission.parameters, h
            ),
        )
        return answers.verdict(answer, len(submission.sought)), _said("FUT", answer)

    async def has(self, sought: Sequence[Sought], episode: str) -> bool:
        """Whether any of them is there; what went in one call is there as a whole, or not at all.

        Raises TryAgain where that cannot be known.
        """
        for each in sought:
            if await self._has(each, episode):
                return True
        return False

    async def _has(self, sought: Sought, episode: str) -> bool:
        query = {
            "patient": sought.patient,
            "code": sought.code,
            "date": sought.moment.astimezone(UTC).strftime("eq%Y-%m-%dT%H:%M:%SZ"),
            "based-on": sought.based_on,
            "episodeOfCare": episode,
        }
        answer = await self._with_token(
            _context(sought.patient, episode),
            lambda h: self.web.search(f"{self.measurement}/Observation", query, h),
        )
        return found(answer, sought)

    async def _with_token(
        self, context: Context, call: Callable[[Mapping[str, str]], Awaitable[Answer]]
    ) -> Answer:
        answer = await call(await self.access.headers(context))
        if _token_refused(answer):
            self.access.forget(context)
            answer = await call(await self.access.headers(context))
        return answer


def found(answer: Answer, sought: Sought) -> bool:
    """Whether the answer to a search has it; pure. Raises TryAgain where that cannot be known."""
    body = answer.body
    if not answer.good or body is None or word(body, "type") != "searchset":
        raise TryAgain(_said("the search before a resend", answer))
    return any(_is(part(entry, "resource"), sought) for entry in parts(body, "entry"))


def _token_refused(answer: Answer) -> bool:
    named = answers.name_of(answer)
    if named is not None:
        return named not in answers.PERMANENT
    return answer.status in {401, 403}


def _context(patient: str, episode: str | None = None) -> Context:
    """The form fields with which FUT's token is bound to a person and an episode of care."""
    return {"patient_id": patient} | ({"episode_of_care_id": episode} if episode else {})


def _is(observation: Json, sought: Sought) -> bool:
    """By our identifier; or, as FUT may drop that, by its code, moment and order.

    Nobody measures the same twice within one second.
    """
    if word(observation, "resourceType") != "Observation":
        return False
    if any(word(each, "value") == sought.identifier for each in parts(observation, "identifier")):
        return True
    codings = parts(part(observation, "code"), "coding")
    pairs = {f"{word(each, 'system')}|{word(each, 'code')}" for each in codings}
    orders = {_bare(word(each, "reference")) for each in parts(observation, "basedOn")}
    return (
        sought.code in pairs
        and _bare(sought.based_on) in orders
        and _moment(observation) == sought.moment.replace(microsecond=0)
    )


def _bare(reference: str) -> str:
    """Type and id, without server and version."""
    return "/".join(re.sub(r"/_history/.*", "", reference).split("/")[-2:])


def _moment(observation: Json) -> datetime | None:
    period = part(observation, "effectivePeriod")
    written = word(observation, "effectiveDateTime") or word(period, "start")
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found.replace(microsecond=0) if found.tzinfo else None


def _said(who: str, answer: Answer) -> str:
    named = answers.name_of(answer)
    half = ", and no whole body" if answer.body is None else ""
    return f"{who} answers {answer.status}{f', {named}' if named else ''}{half}"
