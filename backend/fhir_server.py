"""Onward to a FHIR server: the gateway's Bundle as it came, one transaction.

Every resource in it carries `ifNoneExist` on an identifier of ours (an amended one is put under
it), so a second POST changes nothing: whatever is not known is simply sent again.
"""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from backend.onward import TryAgain, Undeliverable
from backend.onward_access import Access
from backend.onward_answer import Answer
from backend.onward_http import Web
from backend.onward_json import Json, parsed, part, parts, word
from backend.store import ToHandOn

STUBBORN = 20  # failures of one Bundle at a server that is otherwise well

# FHIR R4, IssueType: what may pass by itself.
PASSING = {"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"}
AGAIN = {408, 409, 425, 429, 502, 503, 504}
NOT_THERE = {404, 405, 410}


@dataclass(frozen=True, slots=True)
class FhirServer:
    """*base*: of the server, without a `/` at the end."""

    web: Web
    access: Access
    base: str
    _failed: Counter[tuple[UUID, int]] = field(default_factory=Counter)

    async def hand_on(self, reading: ToHandOn) -> str | None:
        """Return when the server has it. Raises TryAgain and Undeliverable."""
        answer = await self._post(reading.body)
        if answer.status in {401, 403}:  # once, with a new token
            self.access.forget()
            answer = await self._post(reading.body)
        this = (reading.id, reading.version)
        if answer.status != 500:
            del self._failed[this]
        else:
            self._failed[this] += 1
            if self._failed[this] > STUBBORN and await self._is_well():
                del self._failed[this]  # if it is handed on again, it begins anew
                raise Undeliverable("the server fails at this reading again and again (500)")
        judge(answer, len(parsed(reading.body)["entry"]))
        return None

    async def _post(self, body: bytes) -> Answer:
        return await self.web.post(self.base, body, await self.access.headers())

    async def _is_well(self) -> bool:
        return (await self.web.get(f"{self.base}/metadata", {})).good


def judge(answer: Answer, entries: int) -> None:
    """Return if all of a transaction of so many *entries* was done; pure.

    Raises TryAgain and Undeliverable, whose text quotes codes and nothing of the reading: what a
    server says of a Bundle may hold what was measured.
    """
    status = answer.status
    said = f"it answers {answer}"
    if answer.good:
        _good(answer, entries, said)
    elif status in {401, 403}:
        raise TryAgain(f"{said}: check our credentials and their rights")
    elif status in NOT_THERE and not answer.issues():
        raise TryAgain(f"{said}: check its address")
    elif status in AGAIN or status >= 500 or status < 400 or _passes(answer):
        raise TryAgain(said)
    elif status == 412:
        raise Undeliverable(f"{said}: an identifier of ours is there twice, or no such patient")
    elif status == 404:  # with an OperationOutcome: so HAPI answers where a reference finds nobody
        raise Undeliverable(f"{said}: no such patient")
    else:
        raise Undeliverable(said)


def _good(answer: Answer, entries: int, said: str) -> None:
    """A good status is not enough: some servers put their refusal behind it."""
    if answer.errors():
        raise TryAgain(said) if _passes(answer) else Undeliverable(said)
    body = answer.body
    if body is None:
        raise TryAgain(f"{said}, and half a body")
    if word(body, "type") != "transaction-response":
        raise TryAgain(f"{said}, and no transaction-response: check its address")
    done = [_status(entry) for entry in parts(body, "entry")]
    bad = sorted({each for each in done if not each.startswith("2")})
    if bad:
        raise Undeliverable(f"{said}, and within it {', '.join(bad)}")
    if len(done) != entries:
        raise TryAgain(f"{said}, for {len(done)} of {entries} entries")


def _status(entry: Json) -> str:
    text = word(part(entry, "response"), "status")
    return text[:3] if text[:3].isdecimal() else "no status"


def _passes(answer: Answer) -> bool:
    errors = answer.errors()
    return bool(errors) and all(word(issue, "code") in PASSING for issue in errors)
