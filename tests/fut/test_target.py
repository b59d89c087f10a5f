"""Each reading goes to FUT once, whatever FUT and the line do; and never in silence."""

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from backend.fut import answers, ledger
from backend.fut.api import Api
from backend.fut.measured import Rules
from backend.fut.target import STUBBORN
from backend.fut.target import Fut as Target
from backend.onward import TryAgain, Undeliverable
from tests.fut import plans
from tests.fut.plans import PERSON, Row
from tests.fut.refusals import TEXTS
from tests.fut.scene import NOW, PARTY, Disk, connected, to_hand_on
from tests.fut.standin import Fut

PRESSURE = to_hand_on("blood-pressure")
ANOTHER = replace(to_hand_on("weight"), id=UUID(int=1))
BOTH = ["ZZ3170", "NPU21692"]
AWAY = "http://127.0.0.1:1"


def states(disk: Disk) -> list[str]:
    return [row.state for row in ledger.rows(disk.database, PARTY, PRESSURE.id)]


async def test_a_reading_is_one_call_with_all_that_the_plan_asks_for(
    fut: Fut, target: Target, disk: Disk
) -> None:
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH
    assert fut.calls["$submit-measurement"] == 1
    assert states(disk) == ["sent"]


async def test_the_plan_is_asked_for_around_the_moment_of_the_measurement(
    fut: Fut, target: Target
) -> None:
    await target.hand_on(PRESSURE)
    (asked,) = fut.asked
    told = {p["name"]: p.get("valueDateTime") for p in asked["parameter"]}
    assert (told["start"], told["end"]) == (
        "2026-11-21T08:30:20+01:00",
        "2026-11-23T08:30:20+01:00",
    )


async def test_a_reading_that_is_given_twice_is_sent_once(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_what_fut_has_confirmed_is_not_looked_for_again(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    fut.stored.clear()  # withdrawn there, by somebody who may
    await target.hand_on(PRESSURE)
    assert fut.codes == []


async def test_a_second_receiver_over_the_same_store_sends_nothing_again(
    fut: Fut, disk: Disk, target: Target
) -> None:
    await target.hand_on(PRESSURE)
    async with connected(fut, disk) as other:
        await other.hand_on(PRESSURE)
    assert fut.codes == BOTH


@pytest.mark.parametrize("keeps", ["all", "no identifier", "a period", "the minute"])
@pytest.mark.parametrize("trouble", ["silent", "half", "torn"])
async def test_what_was_stored_without_a_whole_answer_is_found_and_not_sent_again(
    fut: Fut, target: Target, disk: Disk, trouble: str, keeps: str
) -> None:
    fut.trouble, fut.keeps = [trouble], keeps
    with pytest.raises(TryAgain, match="whole"):
        await target.hand_on(PRESSURE)
    assert states(disk) == ["sending"]
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH
    assert fut.calls["_search"] == 1
    assert states(disk) == ["sent"]


@pytest.mark.parametrize("trouble", ["deaf", 500, 503, 409])
async def test_what_was_not_stored_is_looked_for_and_then_sent(
    fut: Fut, target: Target, trouble: int | str
) -> None:
    fut.trouble = [trouble]
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH
    assert fut.calls["_search"] == 2


async def test_while_a_call_may_still_be_at_work_nothing_is_looked_for_or_sent(
    fut: Fut, disk: Disk
) -> None:
    fut.trouble = ["silent"]
    async with connected(fut, disk, settling_s=3600) as patient:
        for _ in range(2):
            with pytest.raises(TryAgain):
                await patient.hand_on(PRESSURE)
    assert fut.calls["_search"] == 0
    assert fut.calls["$submit-measurement"] == 1


async def test_a_receiver_that_died_in_the_middle_of_a_call_looks_before_it_sends(
    fut: Fut, target: Target, disk: Disk
) -> None:
    fut.trouble = ["silent"]
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    async with connected(fut, disk) as successor:
        await successor.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_while_fut_is_away_nothing_is_lost_and_nothing_doubled(
    fut: Fut, target: Target, disk: Disk
) -> None:
    at = target.api.at
    nobody = replace(target, api=Api(target.api.web, target.api.access, replace(at, careplan=AWAY)))
    with pytest.raises(TryAgain, match="no connection"):
        await nobody.hand_on(PRESSURE)
    there = replace(at, measurement=AWAY)
    half = replace(target, api=Api(target.api.web, target.api.access, there))
    with pytest.raises(TryAgain, match="no connection"):
        await half.hand_on(PRESSURE)
    assert states(disk) == []
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_too_many_calls_are_made_later(fut: Fut, target: Target, disk: Disk) -> None:
    fut.trouble = [429]
    with pytest.raises(TryAgain, match="429"):
        await target.hand_on(PRESSURE)
    assert states(disk) == []


@pytest.mark.parametrize("name", sorted(answers.PERMANENT.keys() & TEXTS.keys()))
async def test_what_fut_refuses_for_good_is_undeliverable_under_its_name(
    fut: Fut, target: Target, disk: Disk, name: str
) -> None:
    fut.trouble = [name]
    with pytest.raises(Undeliverable, match=name):
        await target.hand_on(PRESSURE)
    assert states(disk) == []
    assert fut.calls["$submit-measurement"] == 1


@pytest.mark.parametrize("name", sorted(answers.TOKEN.keys() & TEXTS.keys()))
async def test_with_a_wrong_token_it_is_tried_once_more_and_then_later(
    fut: Fut, target: Target, name: str
) -> None:
    fut.trouble = [name]
    await target.hand_on(PRESSURE)
    assert fut.calls["$submit-measurement"] == 2
    fut.trouble = [name] * 2
    with pytest.raises(TryAgain, match=name):
        await target.hand_on(ANOTHER)


async def test_a_token_is_for_one_person_and_one_episode_and_kept_while_it_lives(
    fut: Fut, disk: Disk
) -> None:
    fut.wants_token = True
    async with connected(fut, disk) as opened:
        await opened.hand_on(PRESSURE)
        assert [form.get("episode_of_care_id") for form in fut.token_forms] == [None, plans.EPISODE]
        assert {form["patient_id"] for form in fut.token_forms} == {plans.PATIENT}
        fut.renew()
        await opened.hand_on(ANOTHER)
    assert fut.codes == [*BOTH, "NPU03804"]
    assert len(fut.token_forms) == 4  # each of the two once more


async def test_unknown_citizens_are_nobodys(fut: Fut, target: Target) -> None:
    stranger = replace(target, people=lambda: {"urn:x|1": PERSON})
    with pytest.raises(Undeliverable, match="nobody has said who"):
        await stranger.hand_on(PRESSURE)
    assert not fut.calls


async def test_what_the_plan_does_not_ask_for_is_undeliverable_and_said_so(
    fut: Fut, target: Target
) -> None:
    fut.rows = ()
    with pytest.raises(Undeliverable, match="the care plan asks for none of it"):
        await target.hand_on(PRESSURE)
    assert fut.stored == []


async def test_a_plan_that_ended_after_the_call_does_not_take_its_success_away(
    fut: Fut, target: Target
) -> None:
    fut.trouble = ["silent"]
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    fut.rows = ()
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_two_slots_are_two_calls_and_only_the_one_that_failed_is_made_again(
    fut: Fut, target: Target, disk: Disk
) -> None:
    fut.rows = (plans.slot(plans.PANEL, *plans.MORNING), Row(plans.PULSE, request="4002"))
    fut.trouble = [200, 429]  # a good status alone is no success
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    assert sorted(fut.codes) == sorted(BOTH)
    assert states(disk) == ["sent", "sent"]


async def test_an_amended_reading_is_sent_if_fut_has_no_earlier_one(
    fut: Fut, target: Target
) -> None:
    await target.hand_on(to_hand_on("blood-pressure-amended", version=2))
    assert fut.codes == BOTH
    assert {each["status"] for each in fut.stored} == {"final"}


async def test_a_correction_of_what_fut_has_is_for_a_human(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    with pytest.raises(Undeliverable, match="corrected there by hand"):
        await target.hand_on(to_hand_on("blood-pressure-amended", version=2))
    assert fut.codes == BOTH


async def test_an_order_is_known_by_its_definition_and_by_itself_where_that_says_nothing(
    fut: Fut, target: Target
) -> None:
    strange = ("http://ehealth.sundhed.dk/cs/activitydefinition-code", "TBD")
    fut.rows = (
        Row(strange, request="4001", definition=plans.PANEL),
        Row(plans.PULSE, request="4002"),
    )
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH
    assert fut.calls["ActivityDefinition"] == 2


async def test_a_definition_is_read_once_for_a_while(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    await target.hand_on(ANOTHER)
    assert fut.calls["ActivityDefinition"] == 3


async def test_a_definition_that_is_gone_says_nothing(fut: Fut, target: Target) -> None:
    fut.definition_trouble = [404, 410, 404]
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


@pytest.mark.parametrize("status", [400, 403, 429, 500])
async def test_without_a_definition_that_is_there_nothing_is_decided(
    fut: Fut, target: Target, status: int
) -> None:
    fut.definition_trouble = [status, status]
    with pytest.raises(TryAgain, match=f"the plan server answers {status}"):
        await target.hand_on(PRESSURE)
    fut.definition_trouble.clear()
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_our_token_goes_to_no_server_that_was_not_named(fut: Fut, target: Target) -> None:
    at = replace(target.api.at, plan="https://plan.another.example/fhir")
    careful = replace(target, api=Api(target.api.web, target.api.access, at))
    await careful.hand_on(PRESSURE)
    assert fut.calls["ActivityDefinition"] == 0
    assert fut.codes == BOTH


async def test_a_reading_of_last_month_is_for_a_human(fut: Fut, target: Target) -> None:
    late = replace(target, now=lambda: NOW + timedelta(days=31))
    with pytest.raises(Undeliverable, match="more than 30 days ago: to be entered at FUT by hand"):
        await late.hand_on(PRESSURE)
    assert not fut.calls
    patient = replace(late, rules=Rules(max_age=timedelta(days=32)))
    await patient.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_what_fut_had_in_time_does_not_become_too_old(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    late = replace(target, now=lambda: NOW + timedelta(days=31))
    await late.hand_on(PRESSURE)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_without_a_plan_nothing_is_decided(fut: Fut, target: Target, status: int) -> None:
    fut.plan_trouble = [status]
    with pytest.raises(TryAgain, match=f"care plan server answers {status}"):
        await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    assert fut.codes == BOTH


async def test_one_that_fails_for_ever_does_not_hold_up_the_others_for_ever(
    fut: Fut, target: Target
) -> None:
    fut.trouble = [500] * (STUBBORN + 2)
    for _ in range(STUBBORN):
        with pytest.raises(TryAgain):
            await target.hand_on(PRESSURE)
    with pytest.raises(Undeliverable, match="again and again"):
        await target.hand_on(PRESSURE)
    with pytest.raises(TryAgain):  # somebody wants it tried again: it begins anew
        await target.hand_on(PRESSURE)


async def test_tries_that_came_to_nothing_before_do_not_count_against_a_reading(
    fut: Fut, target: Target
) -> None:
    fut.trouble = [500]
    with pytest.raises(TryAgain):
        await target.hand_on(replace(PRESSURE, attempts=1000))


async def test_neither_log_nor_ledger_nor_reason_holds_a_value(
    fut: Fut, target: Target, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hjemgate.receiver")
    fut.rows = (Row(plans.PANEL),)
    fut.trouble = [500]
    with pytest.raises(TryAgain) as failed:
        await target.hand_on(PRESSURE)
    await target.hand_on(PRESSURE)
    told = (
        caplog.text + str(failed.value) + str(disk.database.execute("SELECT * FROM fut_submission"))
    )
    assert "left out" in told
    assert not any(value in told for value in ("121", "7d0c6a52"))
