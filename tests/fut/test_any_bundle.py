"""Whatever a receiver keeps of a gateway goes to FUT and to the parties whole, or not at all."""

import contextlib
import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backend.bundle import examine
from backend.fut.measured import NotForFut, Rules, measured, patient_of
from backend.fut.projection import project
from backend.onward_json import octets, parsed
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


@pytest.mark.parametrize("what", sorted(CASES))
def test_the_octets_of_a_number_survive_reading_and_writing(what: str) -> None:
    body = render(CASES[what])
    assert hashlib.sha256(octets(parsed(body))).digest() == hashlib.sha256(body).digest()
