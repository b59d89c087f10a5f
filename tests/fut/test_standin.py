"""The stand-in refuses what FUT says that it refuses, so that a test against it can fail."""

import json
from typing import Any

import pytest

from backend.onward_json import octets
from tests.fut import plans
from tests.fut.plans import Row
from tests.fut.refusals import EPISODE, PROFILE, SUBMIT, refusal
from tests.fut.test_projection import projected

ROWS = (Row(plans.PANEL, request="1"), Row(plans.PULSE, request="2"))


def parameters() -> Any:
    (submission,) = projected("blood-pressure", *ROWS).submissions
    return json.loads(octets(submission.parameters))


def entries(told: Any) -> Any:
    return told["parameter"][0]["resource"]["entry"]


def extension(told: Any, url: str) -> Any:
    return next(e for e in entries(told)[0]["resource"]["extension"] if e["url"] == url)


def other_code(told: Any) -> None:
    entries(told)[0]["resource"]["code"]["coding"] = [{"system": plans.NPU, "code": "NPU03804"}]


def other_order(told: Any) -> None:
    entries(told)[0]["resource"]["basedOn"] = [{"reference": "https://x/ServiceRequest/99"}]


def a_start_without_a_slot(told: Any) -> None:
    start = {"url": "start", "valueDateTime": plans.MORNING[0]}
    extension(told, f"{PROFILE}/ehealth-resolved-timing")["extension"].append(start)


def amended(told: Any) -> None:
    entries(told)[0]["resource"]["status"] = "amended"


def two_persons(told: Any) -> None:
    entries(told)[0]["resource"]["subject"] = {"reference": "https://x/Patient/2"}


def another_person(told: Any) -> None:
    for each in entries(told):
        each["resource"]["subject"] = {"reference": "https://x/Patient/2"}


def two_episodes(told: Any) -> None:
    extension(told, EPISODE)["valueReference"] = {"reference": "https://x/EpisodeOfCare/2"}


def no_episode(told: Any) -> None:
    del extension(told, EPISODE)["valueReference"]


def no_person(told: Any) -> None:
    del entries(told)[0]["resource"]["subject"]


def nothing(told: Any) -> None:
    entries(told).clear()


def a_device(told: Any) -> None:
    entries(told)[0]["resource"] = {"resourceType": "Device"}


def tagged(told: Any) -> None:
    entries(told)[0]["resource"]["meta"]["tag"] = [{"code": "xa"}]


def test_what_we_send_is_taken() -> None:
    assert refusal(parameters(), ROWS) is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (other_code, f"{SUBMIT}INVALID_OBSERVATION_CODE"),
        (other_order, f"{SUBMIT}PROCEDURE_REQUEST_IS_NOT_ACTIVE"),
        (a_start_without_a_slot, f"{SUBMIT}INVALID_RESOLVED_TIMING"),
        (amended, f"{SUBMIT}INVALID_STATUS"),
        (two_persons, f"{SUBMIT}INPUT_FOR_DIFFERENT_PATIENTS"),
        (another_person, f"{SUBMIT}DIFFERENT_PATIENT_REFERENCE"),
        (two_episodes, f"{SUBMIT}INPUT_NOT_PART_OF_SAME_EPISODEOFCARE"),
        (no_episode, f"{SUBMIT}INPUT_SHOULD_REFERENCE_EPISODEOFCARE"),
        (no_person, f"{SUBMIT}INPUT_SHOULD_REFERENCE_PATIENT"),
        (nothing, f"{SUBMIT}EMPTY_INPUT_BUNDLE"),
        (a_device, f"{SUBMIT}INPUT_BUNDLE_CONTAINS_INVALID_RESOURCES"),
        (tagged, "SYSTEM_TAG_UNEXPECTED_TAG"),
    ],
)
def test_each_refusal_has_its_published_name(change: Any, name: str) -> None:
    told = parameters()
    change(told)
    assert refusal(told, ROWS) == name
