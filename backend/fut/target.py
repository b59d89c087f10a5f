"""Onward to FUT: a reading becomes the calls that a care plan asks for, each made once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from backend.chores import Disk
from backend.fut import elements, ledger
from backend.fut.answers import Verdict
from backend.fut.api import Api
from backend.fut.ledger import Row
from backend.fut.measured import Measured, NotForFut, Rules, measured, patient_of
from backend.fut.people import People, Person
from backend.fut.projection import Sought, Submission, project
from backend.onward import TryAgain, Undeliverable
from backend.onward_http import NoAnswer
from backend.onward_json import Json, parsed
from backend.store import ToHandOn

log = logging.getLogger("hjemgate.receiver")

# After a call that got no answer it may still be at work: this is longer than two CALL_S.
SETTLING = timedelta(seconds=150)
PAUSE_S = 0.5  # between two calls: after an outage FUT is fed by drops
STUBBORN = 50  # answers to one reading that say nothing, while FUT answers: half a day


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Pace:
    """One call after the other, with a pause between."""

    pause_s: float = PAUSE_S
    _free_at: float = 0.0

    async def turn(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._free_at - loop.time())
        self._free_at = loop.time() + self.pause_s


@dataclass(frozen=True, slots=True)
class Fut:
    """*party*: our name of this connection, in the ledger."""

    party: str
    api: Api
    disk: Disk
    people: Callable[[], People]
    rules: Rules
    settling: timedelta = SETTLING
    pace: Pace = field(default_factory=Pace)
    now: Callable[[], datetime] = _now
    _unanswered: Counter[tuple[UUID, int]] = field(default_factory=Counter)

    async def hand_on(self, reading: ToHandOn) -> str | None:
        """Return when FUT has what its plan asks for; or why it is to have nothing of it.

        Raises TryAgain and Undeliverable.
        """
        bundle = parsed(reading.body)
        if elements.about_devices(bundle):
            return "FUT keeps its own register of devices"
        try:
            if elements.withdrawn(bundle):
                return await self._take_back(reading)
            await self._hand_on(reading, bundle)
        except NotForFut as error:
            raise Undeliverable(str(error)) from error
        del self._unanswered[reading.id, reading.version]
        return None

    async def _hand_on(self, reading: ToHandOn, bundle: Json) -> None:
        rows = await self._settled(reading)
        _uncorrected(rows, reading, bundle)
        person = self.people().get(patient_of(bundle))
        if person is None:
            raise NotForFut("nobody has said who this citizen is at FUT: see the people file")
        whole = measured(bundle, self.rules)
        if not rows and self.now() - whole.measurements[0].moment > self.rules.max_age:
            raise NotForFut(
                f"measured more than {self.rules.max_age.days} days ago: to be entered at FUT by"
                " hand, if it matters still"
            )
        await self._submit_all(reading, whole, person, rows)

    async def _take_back(self, reading: ToHandOn) -> str | None:
        rows = await self._settled(reading)
        if not rows:
            return "entered in error, and FUT has none of it"
        for row in rows:
            for sought in row.sought:
                await self.pace.turn()
                await self.api.take_back(sought, row.episode)
        return None

    async def _submit_all(
        self, reading: ToHandOn, whole: Measured, person: Person, rows: list[Row]
    ) -> None:
        known = frozenset(s.identifier for row in rows for s in row.sought)
        plan = await self.api.plan(person, whole.measurements[0].moment)
        try:
            projection = project(whole, plan.activities, person, known)
        except NotForFut as error:
            if not plan.odd:
                raise
            odd = len(plan.odd)
            raise NotForFut(f"{error}; rows of the plan that cannot be used: {odd}") from error
        if projection.left_out:
            log.info("FUT, %s: left out: %s", self.party, "; ".join(projection.left_out))
        for submission in projection.submissions:
            await self._submit(reading, person, submission)

    async def _settled(self, reading: ToHandOn) -> list[Row]:
        """What FUT has of it. Whatever was under way is looked for first, by what was sent."""
        kept = []
        for row in await self.disk(ledger.rows, self.party, reading.id):
            if row.state == "sent":
                kept.append(row)
                continue
            if self.now() - row.at < self.settling:
                raise TryAgain("a call that got no answer may still be at work")
            place = (self.party, reading.id, row.version, row.sought)
            if await self.api.has(row.sought, row.episode):
                await self.disk(ledger.sent, *place)
                kept.append(row)
            else:
                await self.disk(ledger.not_sent, *place)
        return kept

    async def _submit(self, reading: ToHandOn, person: Person, submission: Submission) -> None:
        place = (self.party, reading.id, reading.version)
        sought = submission.sought
        begun = False

        async def begin() -> None:
            nonlocal begun
            if begun:
                await self.disk(ledger.called, *place, sought, self.now())
            elif await self.disk(ledger.begin, *place, submission.episode, sought, self.now()):
                begun = True
            else:
                raise TryAgain("another receiver is sending it")

        await self.pace.turn()
        try:
            verdict, said = await self.api.submit(person, submission, begin)
        except NoAnswer:
            await self.disk(ledger.called, *place, sought, self.now())
            raise  # the row stays: it is looked for before it is sent again
        except TryAgain:
            if begun:
                await self.disk(ledger.not_sent, *place, sought)
            raise
        await self._judge(reading, verdict, said, sought)

    async def _judge(
        self, reading: ToHandOn, verdict: Verdict, said: str, sought: Sequence[Sought]
    ) -> None:
        this = (reading.id, reading.version)
        place = (self.party, *this, sought)
        match verdict:
            case Verdict.DONE:
                await self.disk(ledger.sent, *place)
            case Verdict.UNKNOWN if self._unanswered[this] < STUBBORN:
                self._unanswered[this] += 1
                await self.disk(ledger.called, *place, self.now())
                raise TryAgain(said)  # as without an answer
            case Verdict.UNKNOWN:
                del self._unanswered[this]
                await self.disk(ledger.called, *place, self.now())
                raise Undeliverable(f"{said} again and again; look at FUT whether it is there")
            case Verdict.DOUBTFUL:
                await self.disk(ledger.called, *place, self.now())
                raise Undeliverable(said)
            case Verdict.NEVER:
                await self.disk(ledger.not_sent, *place)
                raise Undeliverable(said)
            case Verdict.REFRESH:
                await self.disk(ledger.not_sent, *place)
                raise TryAgain(f"{said}: check the token, its rights and its context")
            case Verdict.LATER:
                await self.disk(ledger.not_sent, *place)
                raise TryAgain(said)


def _uncorrected(rows: list[Row], reading: ToHandOn, bundle: Json) -> None:
    """FUT takes no corrections from a gateway, and a second Observation would double it."""
    if any(row.version < reading.version for row in rows):
        if elements.withdrawn_in_part(bundle):
            raise Undeliverable(
                "part of it was taken back, and FUT has it: to be invalidated there by hand"
            )
        raise Undeliverable("FUT has an earlier version: to be corrected there by hand")
    if any(row.version > reading.version for row in rows):
        raise Undeliverable("FUT has a later version")
