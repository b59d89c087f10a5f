"""A reading that was withdrawn is made invalid at FUT, whatever FUT and the line do."""

from dataclasses import replace
from uuid import UUID

import pytest

from backend.fut.api import Api
from backend.fut.target import Fut as Target
from backend.onward import TryAgain, Undeliverable
from backend.onward_json import Json, octets, parsed
from backend.store import ToHandOn
from tests.fut.scene import Disk, connected, to_hand_on
from tests.fut.standin import Fut

PRESSURE = to_hand_on("blood-pressure")


def taken_back(reading: ToHandOn, version: int = 2) -> ToHandOn:
    bundle = parsed(reading.body)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["status"] = "entered-in-error"
    return replace(reading, version=version, body=octets(bundle))


WITHDRAWN = taken_back(PRESSURE)


def statuses(fut: Fut) -> list[str]:
    return [each["status"] for each in fut.stored]


async def test_all_that_fut_has_of_it_is_made_invalid(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    assert await target.hand_on(WITHDRAWN) is None
    assert statuses(fut) == ["entered-in-error"] * 2


async def test_another_reading_stays_as_it_is(fut: Fut, target: Target) -> None:
    await target.hand_on(replace(to_hand_on("weight"), id=UUID(int=1)))
    await target.hand_on(PRESSURE)
    await target.hand_on(WITHDRAWN)
    assert statuses(fut) == ["final", "entered-in-error", "entered-in-error"]


async def test_what_fut_never_had_is_not_sent_and_that_is_said(fut: Fut, target: Target) -> None:
    for version in (1, 2):
        words = await target.hand_on(taken_back(PRESSURE, version))
        assert words == "entered in error, and FUT has none of it"
    assert not fut.calls


async def test_it_is_taken_back_once_however_often_it_is_given(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    for _ in range(2):
        await target.hand_on(WITHDRAWN)
    assert fut.calls["$set-measurement-validity"] == 2  # of two Observations


@pytest.mark.parametrize(
    "trouble", ["silent", "deaf", "half", "torn", 409, 429, 500, 503, 302, 404]
)
async def test_what_may_pass_is_tried_again_until_it_is_invalid(
    fut: Fut, target: Target, trouble: int | str
) -> None:
    await target.hand_on(PRESSURE)
    fut.task_trouble = [trouble]
    with pytest.raises(TryAgain):
        await target.hand_on(WITHDRAWN)
    await target.hand_on(WITHDRAWN)
    assert statuses(fut) == ["entered-in-error"] * 2


async def test_what_was_under_way_is_looked_for_before_it_is_taken_back(
    fut: Fut, target: Target
) -> None:
    fut.trouble = ["silent"]
    with pytest.raises(TryAgain):
        await target.hand_on(PRESSURE)
    await target.hand_on(WITHDRAWN)
    assert statuses(fut) == ["entered-in-error"] * 2


async def test_while_a_call_may_still_be_at_work_nothing_is_taken_back(
    fut: Fut, disk: Disk
) -> None:
    fut.trouble = ["silent"]
    async with connected(fut, disk, settling_s=3600) as patient:
        with pytest.raises(TryAgain):
            await patient.hand_on(PRESSURE)
        with pytest.raises(TryAgain, match="still be at work"):
            await patient.hand_on(WITHDRAWN)


@pytest.mark.parametrize("trouble", [400, 412, 422])
async def test_what_fut_refuses_is_for_a_human(fut: Fut, target: Target, trouble: int) -> None:
    await target.hand_on(PRESSURE)
    fut.task_trouble = [trouble]
    with pytest.raises(Undeliverable, match=f"{trouble}.*invalidated there by hand"):
        await target.hand_on(WITHDRAWN)


@pytest.mark.parametrize("trouble", [401, 403])
async def test_without_the_right_it_waits(fut: Fut, target: Target, trouble: int) -> None:
    await target.hand_on(PRESSURE)
    fut.task_trouble = [trouble, trouble]
    with pytest.raises(TryAgain, match="its rights"):
        await target.hand_on(WITHDRAWN)


async def test_without_a_task_server_a_human_is_told_what_to_do(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    alone = Api(target.api.web, target.api.access, replace(target.api.at, task=None))
    with pytest.raises(Undeliverable, match="invalidated there by hand"):
        await replace(target, api=alone).hand_on(WITHDRAWN)
    assert statuses(fut) == ["final"] * 2


async def test_what_fut_does_not_show_any_more_is_for_a_human(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    fut.stored.clear()
    with pytest.raises(Undeliverable, match="look there what it has"):
        await target.hand_on(WITHDRAWN)


async def test_what_comes_after_a_withdrawal_is_for_a_human(fut: Fut, target: Target) -> None:
    await target.hand_on(PRESSURE)
    await target.hand_on(WITHDRAWN)
    with pytest.raises(Undeliverable, match="corrected there by hand"):
        await target.hand_on(to_hand_on("blood-pressure-amended", version=3))
    assert statuses(fut) == ["entered-in-error"] * 2


async def test_a_message_about_devices_alone_is_not_for_fut(fut: Fut, target: Target) -> None:
    words = await target.hand_on(replace(PRESSURE, body=octets(devices_of(PRESSURE))))
    assert words == "FUT keeps its own register of devices"
    assert not fut.calls


def devices_of(reading: ToHandOn) -> Json:
    bundle = parsed(reading.body)
    entries = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Device"]
    return {**bundle, "entry": entries}
