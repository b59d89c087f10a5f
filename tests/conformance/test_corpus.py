"""Every kind of Bundle by our own rules: quick, and without Java."""

import json
from decimal import Decimal

import pytest

from drivers.api import Absent, Driver
from drivers.registry import all_drivers
from gateway.fhir.gate import parse
from tests.conformance.corpus import READINGS, bundles, every_record
from tests.conformance.terminology import concepts
from tests.fhir.rules import faults

BUNDLES = bundles()


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_of_each_kind_keeps_the_rules(name: str) -> None:
    assert faults(json.loads(BUNDLES[name], parse_float=Decimal)) == []


@pytest.mark.parametrize("name", BUNDLES)
def test_fhir_resources_reads_a_bundle_of_each_kind(name: str) -> None:
    parse(BUNDLES[name])


def test_every_code_is_one_that_a_source_confirms() -> None:
    known = concepts()
    for body in BUNDLES.values():
        for coding in _codings(json.loads(body)):
            if coding["system"] in known:
                assert coding["code"] in known[coding["system"]]
                said = known[coding["system"]][coding["code"]]
                assert coding.get("display", said) == said


@pytest.mark.parametrize("driver", all_drivers().values(), ids=lambda driver: driver.name)
def test_every_driver_is_there_with_every_absence_flag_and_code(driver: Driver) -> None:
    records = [record for name, record in every_record() if name.startswith(f"{driver.name}/")]
    values = [value for record in records for value in record.reading.values]
    kinds = {value.kind for units in READINGS[driver.name] for value in units}
    for kind in kinds:
        assert {v.absent for v in values if v.kind is kind} == {None, *Absent}
    assert {flag for record in records for flag in record.reading.flags} == set(driver.flags)
    codes = {code for record in records for code in record.reading.codes}
    for system, answers in driver.codes.items():
        if any(code.system == system for code in codes):
            assert {code.code for code in codes if code.system == system} >= set(answers)


def _codings(node: object) -> list[dict[str, str]]:
    if isinstance(node, dict):
        own = [node] if isinstance(node.get("system"), str) and "code" in node else []
        return own + [c for item in node.values() for c in _codings(item)]
    if isinstance(node, list):
        return [c for item in node for c in _codings(item)]
    return []
