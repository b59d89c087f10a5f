"""Whatever a receiver keeps of a gateway goes to FUT and to the parties whole, or not at all."""

import contextlib
import copy
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backend.bundle import examine
from backend.fut.measured import NotForFut, Rules, measured, patient_of
from backend.fut.projection import Projection, project
from backend.onward_json import Json, octets, parsed
from backend.onward_kinds import KINDS, only
from gateway.contract import ContractError
from gateway.fhir import render
from tests.fhir.records import CASES, GATEWAY
from tests.fut import plans
from tests.fut.plans import PERSON, Row, plan

ORDERS = (plans.PANEL, plans.PULSE, plans.WEIGHT, plans.SATURATION, plans.GLUCOSE, plans.BMI)
PLAN = plan(*(Row(code, request=str(n)) for n, code in enumerate(ORDERS)))
WHOLE = {what: parsed(render(record)) for what, record in CASES.items()}


@st.composite
def bundles(draw: st.DrawFn) -> tuple[str, Any]:
    """One of a gateway, with something away or another text in a few places."""
    what = draw(st.sampled_from(sorted(WHOLE)))
    bundle: Any = copy.deepcopy(WHOLE[what])
    for _ in range(draw(st.integers(1, 3))):
        element = draw(st.sampled_from(bundle["entry"][2:]))["resource"]
        while True:
            keys = list(element) if isinstance(element, dict) else list(range(len(element)))
            assume(keys)
            key = draw(st.sampled_from(keys))
            if isinstance(element[key], str) and draw(st.booleans()):
                element[key] = draw(
                    st.sampled_from(["2026", "urn:uuid:x", "a|b", "?", "Patient/1"])
                )
                break
            if not isinstance(element[key], dict | list) or draw(st.integers(0, 3)) == 0:
                del element[key]
                break
            element = element[key]
    return what, bundle


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(bundles(), st.booleans())
def test_a_bundle_that_the_receiver_keeps_never_surprises(
    drawn: tuple[str, Any], lenient: bool
) -> None:
    what, bundle = drawn
    body = octets(bundle)
    record = CASES[what]
    try:
        examine(body, record.id, record.version, GATEWAY.id)
    except ContractError:
        assume(False)
    for kind in KINDS:
        cut = only(body, {kind})
        assert cut is None or json.loads(cut)["entry"]
    with contextlib.suppress(NotForFut):
        patient_of(bundle)
        rules = Rules(unlabelled_glucose=lenient, simulated=lenient)
        for submission in project(measured(bundle, rules), PLAN, PERSON).submissions:
            assert len(submission.sought) == len({each.identifier for each in submission.sought})


STRANGE: Mapping[str, Any] = {
    "an unknown resource with a property of another kind": {
        "resourceType": "CodeSystem",
        "property": [{"code": "x", "type": "string"}],
    },
    "one identifier where there may be several": {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "s", "value": "v"},
    },
    "nothing but a kind": {"resourceType": "Patient"},
    "nothing": {},
    "lists for words": {"resourceType": "Observation", "code": [], "status": [], "subject": [1]},
}


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_not_known_stands_in_nobodys_way(strange: str) -> None:
    bundle = copy.deepcopy(WHOLE["weight"])
    bundle["entry"].append({"fullUrl": "urn:uuid:0", "resource": STRANGE[strange]})
    assert only(octets(bundle), {"weight"}) is not None
    with contextlib.suppress(NotForFut):
        assert patient_of(bundle) == plans.CITIZEN
    with contextlib.suppress(NotForFut):
        assert project(measured(bundle, Rules()), PLAN, PERSON).submissions


@pytest.mark.parametrize("name", ["subject", "effectiveDateTime"])
@pytest.mark.parametrize(
    "value",
    [
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026"),
        *("http://[oops", "Patient?identifier", "Patient?%zz=[", ""),
    ],
)
def test_a_moment_or_a_person_of_which_nothing_can_be_made_is_refused(
    name: str, value: str
) -> None:
    bundle = copy.deepcopy(WHOLE["weight"])
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"][name] = {"reference": value} if name == "subject" else value
    with pytest.raises((NotForFut, KeyError)):
        sent(bundle)


def sent(bundle: Json) -> Projection:
    person = {plans.CITIZEN: PERSON}[patient_of(bundle)]
    return project(measured(bundle, Rules()), PLAN, person)


@pytest.mark.parametrize("what", sorted(CASES))
def test_the_octets_of_a_number_survive_reading_and_writing(what: str) -> None:
    body = render(CASES[what])
    assert hashlib.sha256(octets(parsed(body))).digest() == hashlib.sha256(body).digest()
