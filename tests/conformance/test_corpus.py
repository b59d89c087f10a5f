"""Every kind of Bundle by our own rules: quick, and without Java."""

import json
from decimal import Decimal

import pytest

from drivers.api import Absent, Driver
from drivers.registry import all_drivers
from tests.conformance.announced import announcements
from tests.conformance.corpus import READINGS, bundles, every_record
from tests.fhir.rules import faults

RECORDS = dict(every_record())
BUNDLES = {**bundles(), **announcements()}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_of_each_kind_keeps_the_rules(name: str) -> None:
    assert faults(json.loads(BUNDLES[name], parse_float=Decimal), RECORDS.get(name)) == []


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


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(list(every_record())) == len(RECORDS)
