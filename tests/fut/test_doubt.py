"""When it is not known what FUT did: nothing is sent twice, nothing is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from backend.fut import answers, ledger
from backend.fut.answers import Verdict
from backend.fut.api import Api
from backend.fut.target import Fut as Target
from backend.onward import Party, TryAgain, Undeliverable
from backend.onward_access import NOTHING, Context
from backend.onward_answer import Answer
from backend.onward_json import octets, parsed
from backend.store import onward
from tests.fut import plans
from tests.fut.plans import Row
from tests.fut.queue import handed_on, handing, keep, outcomes, until, waiting
from tests.fut.refusals import TEXTS
from tests.fut.scene import NOW, PARTY, Disk, to_hand_on
from tests.fut.standin import Fut, outcome
from tests.fut.test_taking_back import taken_back

PRESSURE = to_hand_on("blood-pressure")
LATER = replace(PRESSURE, version=2, position=2, body=PRESSURE.body.replace(b"121", b"171"))
SINGLE = (Row(plans.SYSTOLIC, request="4011"), Row(plans.DIASTOLIC, request="4012"))
HAPI = "HAPI-0389: Failed to call access method: subscription channel is not found"


@dataclass
class Slow:
    """Tokens take a minute each, by a clock of its own, and anything else a second."""

    now: datetime = NOW
    given: datetime = NOW  # the last token

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def headers(self, context: Context = NOTHING) -> Mapping[str, str]:
        del context
        self.now += timedelta(minutes=1)
        self.given = self.now
        return {}

    def forget(self, context: Context = NOTHING) -> None:
        del context


def slow(target: Target) -> tuple[Target, Slow]:
    access = Slow()
    api = Api(target.api.web, access, target.api.at)
    settling = timedelta(seconds=150)
    return replace(target, api=api, now=access.tick, settling=settling), access


async def test_the_wait_before_the_search_begins_when_the_last_call_ended(
    fut: Fut, target: Target, disk: Disk
) -> None:
    patient, access = slow(target)
    fut.trouble = ["SECURITY_TOKEN_CONTEXT_MISSING", "silent"]
    with pytest.raises(TryAgain):
        await patient.hand_on(PRESSURE)
    (row,) = ledger.rows(disk.database, PARTY, PRESSURE.id)
    ended = access.given + timedelta(seconds=2)  # it was called a second before that
    assert row.at == ended
    assert row.state == "sending"
    access.now += timedelta(seconds=148)
    with pytest.raises(TryAgain, match="may still be at work"):
        await patient.hand_on(PRESSURE)
    access.now += timedelta(seconds=1)
    await patient.hand_on(PRESSURE)
    assert fut.codes == ["ZZ3170", "NPU21692"]


async def test_without_a_token_nothing_was_begun(fut: Fut, target: Target, disk: Disk) -> None:
    class Tokenless(Slow):
        async def headers(self, context: Context = NOTHING) -> Mapping[str, str]:
            if "episode_of_care_id" in context:
                assert ledger.rows(disk.database, PARTY, PRESSURE.id) == []
                raise TryAgain("no token")
            return {}

    api = Api(target.api.web, Tokenless(), target.api.at)
    with pytest.raises(TryAgain, match="no token"):
        await replace(target, api=api).hand_on(PRESSURE)
    assert ledger.rows(disk.database, PARTY, PRESSURE.id) == []


@pytest.mark.parametrize("words", [HAPI, "Validation error", *sorted(answers.PERMANENT)[:2]])
async def test_what_an_error_of_the_server_says_is_no_word_that_nothing_was_stored(
    fut: Fut, target: Target, words: str
) -> None:
    issue = {"severity": "error", "code": "exception", "diagnostics": words}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    fut.trouble = [("late", 500, body)]
    with pytest.raises((TryAgain, Undeliverable)):
        await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    assert fut.codes == ["ZZ3170", "NPU21692"]
    assert fut.calls["_search"] == 1


def verdict(status: int, words: str) -> Verdict:
    issue = {"severity": "error", "code": "processing", "diagnostics": words}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return answers.verdict(Answer(status, body), 1)


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (500, HAPI, Verdict.UNKNOWN),
        (503, "Validation error", Verdict.UNKNOWN),
        (500, "Security token context not allowed", Verdict.UNKNOWN),
        (500, "GENERAL_VALIDATION_ERROR", Verdict.DOUBTFUL),
        (200, "Validation error", Verdict.DOUBTFUL),
        (422, "Validation error", Verdict.NEVER),
        (401, "the realm is not found", Verdict.REFRESH),
        (403, "Validation error", Verdict.REFRESH),
        (403, "GENERAL_VALIDATION_ERROR", Verdict.NEVER),
        (403, TEXTS["SECURITY_TOKEN_CONTEXT_NOT_ALLOWED"], Verdict.REFRESH),
    ],
)
def test_a_fragment_counts_where_the_status_says_the_same(
    status: int, words: str, expected: Verdict
) -> None:
    assert verdict(status, words) is expected


async def test_a_call_that_failed_at_the_server_is_not_made_again_for_a_new_token(
    fut: Fut, target: Target
) -> None:
    body = outcome("SECURITY_TOKEN_CONTEXT_MISSING")
    body["issue"][0]["diagnostics"] = "SECURITY_TOKEN_CONTEXT_MISSING"
    fut.trouble = [(500, body)]
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    assert fut.calls["$submit-measurement"] == 1


@pytest.mark.parametrize("rows", [((Row(plans.PANEL),), SINGLE), (SINGLE, (Row(plans.PANEL),))])
async def test_a_blood_pressure_that_fut_has_is_not_sent_in_another_shape(
    fut: Fut, target: Target, rows: tuple[tuple[Row, ...], tuple[Row, ...]]
) -> None:
    before, after = rows
    pulse = plans.slot(plans.PULSE, *plans.MORNING, request="4002")
    fut.rows = (*before, pulse)
    fut.trouble = [None, "MEASUREMENT_SUBMITMEASUREMENT_INVALID_RESOLVED_TIMING"]
    with pytest.raises(Undeliverable):
        await target.hand_on(PRESSURE)
    sent = list(fut.codes)
    fut.rows = (*after, pulse)
    await target.hand_on(PRESSURE)
    assert fut.codes == [*sent, "NPU21692"]


@pytest.mark.parametrize(
    "rows",
    [
        (plans.slot(plans.SYSTOLIC, *plans.MORNING, request="4011"), SINGLE[1]),
        (
            SINGLE[0],
            replace(SINGLE[1], episode="https://careplan.fut.example/fhir/EpisodeOfCare/2"),
        ),
        SINGLE[:1],
    ],
)
async def test_half_a_blood_pressure_is_never_sent(
    fut: Fut, target: Target, rows: tuple[Row, ...]
) -> None:
    fut.rows = rows
    with pytest.raises(Undeliverable, match="blood pressure: "):
        await target.hand_on(PRESSURE)
    assert fut.codes == []


async def test_both_halves_go_in_the_call_that_both_are_asked_for_in(
    fut: Fut, target: Target
) -> None:
    fut.rows = (plans.slot(plans.SYSTOLIC, *plans.MORNING, request="4010"), *SINGLE)
    await target.hand_on(PRESSURE)
    assert fut.codes == ["DNK05472", "DNK05473"]
    assert fut.calls["$submit-measurement"] == 1


def party(target: Target) -> list[Party]:
    return [Party("fut", target, corrects=False)]


async def test_of_two_versions_that_are_held_the_later_is_sent_alone(
    fut: Fut, target: Target, disk: Disk
) -> None:
    told = await handed_on(disk, party(target), PRESSURE, LATER)
    assert [status for status, _ in told] == ["delivered"] * 2
    assert fut.calls["$submit-measurement"] == 1
    (panel,) = fut.stored[:1]
    assert panel["component"][0]["valueQuantity"]["value"] == 171


async def test_what_was_taken_back_before_it_was_sent_is_never_sent(
    fut: Fut, target: Target, disk: Disk
) -> None:
    strangers = replace(target, people=dict)
    withdrawn = replace(taken_back(PRESSURE), position=2)
    keep(disk, PRESSURE, withdrawn)
    async with handing(disk, party(strangers)):
        await until(lambda: not waiting(disk))
    assert [status for status, _ in outcomes(disk)] == ["delivered"] * 2
    assert fut.codes == []


async def test_a_part_that_was_taken_back_and_that_fut_has_is_said_to_be_there(
    fut: Fut, target: Target
) -> None:
    await target.hand_on(PRESSURE)
    bundle = parsed(PRESSURE.body)
    measured = [e["resource"] for e in bundle["entry"] if "component" in e["resource"]]
    measured[0]["status"] = "entered-in-error"
    with pytest.raises(Undeliverable, match="taken back, and FUT has it"):
        await target.hand_on(replace(PRESSURE, version=2, body=octets(bundle)))


async def test_what_was_taken_back_is_not_sent_when_it_is_to_be_handed_on_again(
    fut: Fut, target: Target, disk: Disk
) -> None:
    strangers = replace(target, people=dict)
    told = await handed_on(disk, party(strangers), PRESSURE)
    told += await handed_on(disk, party(strangers), replace(taken_back(PRESSURE), position=2))
    assert [status for status, _ in told] == ["undeliverable", "delivered"]
    assert onward.again(disk.database, NOW) == 1
    assert await handed_on(disk, party(target)) == [("delivered", onward.LATER_VERSION)]
    assert fut.codes == []
