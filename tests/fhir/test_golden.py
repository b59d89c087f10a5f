"""Every kind of Bundle, octet for octet, through the gate and by the profiles' rules."""

import json
from decimal import Decimal

import pytest

from gateway.fhir import render
from gateway.fhir.gate import parse
from tests.fhir.records import CASES
from tests.fhir.regenerate import GOLDEN, readable
from tests.fhir.rules import faults


def test_there_is_one_golden_file_for_each_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_bundle_is_as_agreed(name: str) -> None:
    assert readable(render(CASES[name])) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_same_record_gives_the_same_octets(name: str) -> None:
    assert render(CASES[name]) == render(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_fhir_resources_reads_the_bundle(name: str) -> None:
    parse(render(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_bundle_keeps_the_rules_of_the_profiles(name: str) -> None:
    bundle = json.loads(render(CASES[name]), parse_float=Decimal)
    assert faults(bundle, CASES[name]) == []
