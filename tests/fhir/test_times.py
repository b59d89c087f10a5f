"""The right time, or the word that it is unknown."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.fhir.look import entries, observations, systems
from tests.fhir.records import (
    BLOOD_PRESSURE,
    CASES,
    CLOCK,
    GATEWAY,
)


@pytest.mark.parametrize(
    ("utc", "home"),
    [
        ("2026-10-25T00:59:59+00:00", "2026-10-25T02:59:59+02:00"),
        ("2026-10-25T01:00:00+00:00", "2026-10-25T02:00:00+01:00"),
        ("2026-03-29T00:59:59+00:00", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+02:00"),
        ("1893-12-31T12:00:00+00:00", "1893-12-31T12:00:00+00:00"),
    ],
)
def test_a_moment_is_written_with_the_homes_offset_at_that_moment(utc: str, home: str) -> None:
    of = replace(BLOOD_PRESSURE, effective=datetime.fromisoformat(utc))
    assert observations(of)["150020"]["effectiveDateTime"] == home


def test_an_unknown_time_is_said_to_be_unknown() -> None:
    found = observations(CASES["blood-pressure-time-unknown"])["150020"]
    assert "effectiveDateTime" not in found
    assert found["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"
    assert found["issued"] == "2026-11-22T08:31:03.000+01:00"


def test_the_two_clocks_of_a_pair_are_written_with_one_offset() -> None:
    wild = replace(CLOCK, device_clock=datetime(2020, 7, 1, 12, 0))  # noqa: DTZ001 -- a meter's naive clock
    pair = observations(replace(BLOOD_PRESSURE, clock=wild))["67975"]
    assert pair["effectiveDateTime"] == "2026-11-22T08:31:02.250+01:00"
    assert pair["valueDateTime"] == "2020-07-01T12:00:00+01:00"


def test_a_gateway_without_a_trusted_clock_claims_no_synchronisation() -> None:
    drifting = replace(BLOOD_PRESSURE, gateway=replace(GATEWAY, clock="receipt"))
    prop = entries(drifting)[0]["resource"]["property"][0]
    assert systems(prop["valueCode"][0])[0][1] == "532224"
