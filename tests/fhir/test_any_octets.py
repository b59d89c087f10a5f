"""Whatever a meter sends: a Bundle that keeps the rules, or a refusal with a reason."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.api import DecodeError, Driver, Frame
from drivers.registry import all_drivers
from gateway.fhir import RenderError, render
from gateway.fhir.gate import parse
from tests.fhir.records import CUFF, device, record
from tests.fhir.rules import faults


@pytest.mark.parametrize("driver", all_drivers().values(), ids=lambda driver: driver.name)
@settings(max_examples=100)
@given(octets=st.binary(min_size=5, max_size=24), version=st.integers(1, 2))
def test_any_octets_make_a_good_bundle_or_are_refused(
    driver: Driver, octets: bytes, version: int
) -> None:
    try:
        readings = driver.decode([Frame(driver.readable[0], octets)])
    except DecodeError:
        return
    meter = device(driver.specialization, driver.name)
    for reading in readings:
        whole = replace(record(meter, reading), reading=reading, version=version)
        try:
            body = render(whole)
        except RenderError:
            continue
        assert faults(json.loads(body, parse_float=Decimal), whole) == []


def test_the_largest_and_the_smallest_number_of_a_float_pass() -> None:
    for octets in ("00ffff7f7f", "0001000080"):
        driver = all_drivers()["sig_thermometer"]
        (reading,) = driver.decode([Frame(driver.readable[0], bytes.fromhex(octets))])
        meter = replace(CUFF, specialization=driver.specialization)
        parse(render(record(meter, reading)))
