"""A row of a care plan that cannot be used hides none of the others, and is told of once."""

import copy
import logging
from collections.abc import Callable
from typing import Any

import pytest

from backend.fut.plan import read
from backend.fut.target import Fut as Target
from backend.onward import Undeliverable
from tests.fut import plans
from tests.fut.plans import CAREPLAN, PATIENT, Row
from tests.fut.scene import to_hand_on
from tests.fut.standin import Fut

Json = dict[str, Any]
WHOLE = plans.answer([Row(plans.WEIGHT), Row(plans.PULSE, request="4002")])


def rows(answer: Json) -> list[Json]:
    (found,) = (e["resource"] for e in answer["entry"] if "parameter" in e["resource"])
    parameters: list[Json] = found["parameter"]
    return parameters


def order(answer: Json, number: str) -> Json:
    (found,) = (e["resource"] for e in answer["entry"] if e["resource"].get("id") == number)
    resource: Json = found
    return resource


def without_version(answer: Json) -> None:
    rows(answer)[1]["part"] = [
        p for p in rows(answer)[1]["part"] if p["name"] != "ServiceRequestVersionId"
    ]


def without_episode(answer: Json) -> None:
    order(answer, "4002")["extension"] = []


def with_two_episodes(answer: Json) -> None:
    order(answer, "4002")["extension"] *= 2


def resolved_without_a_start(answer: Json) -> None:
    rows(answer)[1]["part"][-1]["valueCodeableConcept"]["coding"][0]["code"] = "Resolved"


def parts_that_are_a_word(answer: Json) -> None:
    rows(answer)[1]["part"] = "none"


ODD = [
    without_version,
    without_episode,
    with_two_episodes,
    resolved_without_a_start,
    parts_that_are_a_word,
]


@pytest.mark.parametrize("change", ODD)
def test_one_odd_row_hides_none_of_the_others(change: Callable[[Json], None]) -> None:
    answer = copy.deepcopy(WHOLE)
    change(answer)
    found = read(answer, PATIENT)
    assert [each.codes for each in found.activities] == [{plans.WEIGHT}]
    assert len(found.odd) == 1


def test_an_order_is_found_by_a_reference_to_its_version() -> None:
    answer = copy.deepcopy(WHOLE)
    (part,) = (p for p in rows(answer)[0]["part"] if p["name"] == "ServiceRequest")
    part["valueReference"]["reference"] = f"{CAREPLAN}/ServiceRequest/4001/_history/3"
    assert next(each.codes for each in read(answer, PATIENT).activities) == {plans.WEIGHT}


@pytest.mark.parametrize("subject", ["Patient/1001", f"{PATIENT}/_history/7", PATIENT])
def test_the_subject_of_an_order_may_be_written_in_several_ways(subject: str) -> None:
    answer = copy.deepcopy(WHOLE)
    order(answer, "4001")["subject"]["reference"] = subject
    assert len(read(answer, PATIENT).activities) == 2


@pytest.mark.parametrize(
    "subject", ["Patient/1002", "https://another.example/fhir/Patient/1001", "1001", ""]
)
def test_somebody_elses_order_stays_somebody_elses(subject: str) -> None:
    answer = copy.deepcopy(WHOLE)
    order(answer, "4001")["subject"]["reference"] = subject
    assert [each.codes for each in read(answer, PATIENT).activities] == [{plans.PULSE}]


async def test_an_odd_row_is_told_of_once_and_named_where_nothing_else_fits(
    fut: Fut, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    fut.rows = (Row(plans.PULSE, request="4002", version=None),)  # type: ignore[arg-type]
    whole = fut.plan

    def plan(asked: Json) -> Json:
        answer = whole(asked)
        del rows(answer)[0]["part"][2]
        return answer

    fut.plan = plan  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(Undeliverable, match="rows of the plan that cannot be used: 1"):
            await target.hand_on(to_hand_on("weight"))
    told = [each for each in caplog.messages if "ServiceRequest/4002" in each]
    assert len(told) == 1
