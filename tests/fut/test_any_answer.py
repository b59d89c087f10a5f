"""Whatever a server answers, it ends in one of the few ways that are meant."""

import contextlib
import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.fhir_server import judge
from backend.fut import answers, plan, search, validity
from backend.fut.answers import Verdict
from backend.fut.plan import NoPlan
from backend.onward import TryAgain, Undeliverable
from backend.onward_answer import Answer
from tests.fut import plans
from tests.fut.plans import Row, slot
from tests.fut.test_ledger import SOUGHT

MOMENT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
WORDS = [
    *("resourceType", "type", "entry", "resource", "response", "status", "issue", "severity"),
    *("code", "details", "coding", "diagnostics", "parameter", "part", "name", "subject"),
    *("extension", "url", "valueReference", "reference", "basedOn", "identifier", "value"),
    *("effectiveDateTime", "effectivePeriod", "start", "system", "text", "id"),
]
VALUES = ["OperationOutcome", "Bundle", "Parameters", "Observation", "transaction-response"]
VALUES += ["searchset", "error", "fatal", "transient", "201 Created", "bundle", "ServiceRequest"]
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(VALUES)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=30,
)
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 404, 409, 412, 422, 429, 500, 503])


OBSERVATION = {
    "resourceType": "Observation",
    "identifier": [{"value": "urn:uuid:9"}],
    "code": {"coding": [{"system": "s", "code": "c"}]},
    "basedOn": [{"reference": "ServiceRequest/1"}],
    "effectivePeriod": {"start": "2026-11-25T09:00:00+01:00"},
}
ISSUE = {
    "severity": "error",
    "code": "processing",
    "diagnostics": "Procedure request with id:[1] is not active.",
    "details": {"text": "t", "coding": [{"code": "SECURITY_TOKEN_X"}]},
}
DONE = {"response": {"status": "201 Created", "location": "Observation/1"}}
MEANT: Sequence[Any] = (
    {"resourceType": "OperationOutcome", "issue": [ISSUE, {**ISSUE, "code": "transient"}]},
    {"resourceType": "Bundle", "type": "transaction-response", "entry": [DONE, DONE]},
    {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "bundle",
                "resource": {"type": "transaction-response", "entry": [DONE]},
            }
        ],
    },
    {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OBSERVATION}]},
    plans.answer([Row(plans.PANEL), slot(plans.WEIGHT, *plans.MORNING, request="2")]),
)


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """An answer as it is meant, with something else in one or two places."""
    whole = copy.deepcopy(draw(st.sampled_from(MEANT)))
    for _ in range(draw(st.integers(1, 2))):
        element: Any = whole
        while isinstance(element, dict | list) and element:
            keys = list(element) if isinstance(element, dict) else list(range(len(element)))
            key = draw(st.sampled_from(keys))
            if draw(st.booleans()) or not isinstance(element[key], dict | list):
                element[key] = draw(JSON)
                break
            element = element[key]
    return whole


ANY = settings(max_examples=400, deadline=None)


@ANY
@given(STATUSES, bodies() | st.none())
def test_of_a_fhir_server(status: int, body: Any) -> None:
    with contextlib.suppress(TryAgain, Undeliverable):
        judge(Answer(status, body), 2)


@ANY
@given(STATUSES, bodies() | st.none())
def test_of_a_submission(status: int, body: Any) -> None:
    assert isinstance(answers.verdict(Answer(status, body), 1), Verdict)


@ANY
@given(bodies())
def test_of_the_care_plan_server(body: Any) -> None:
    with contextlib.suppress(NoPlan):
        plan.definitions(body, plans.PATIENT)
    with contextlib.suppress(NoPlan):
        for each in plan.read(body, plans.PATIENT).activities:
            each.asked_at(MOMENT)


@ANY
@given(bodies())
def test_of_a_search(body: Any) -> None:
    found = search.found(Answer(200, body), SOUGHT[0])
    assert found is None or isinstance(found, list)
    for entry in found or ():
        validity.found(entry, "https://measurement.example/fhir")


@ANY
@given(STATUSES, bodies() | st.none())
def test_of_the_task_server(status: int, body: Any) -> None:
    with contextlib.suppress(TryAgain, Undeliverable):
        validity.judge(Answer(status, body), "FUT")


@ANY
@given(bodies())
def test_of_the_plan_server(body: Any) -> None:
    with contextlib.suppress(NoPlan):
        plan.definition_codes(body)
