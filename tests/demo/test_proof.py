"""The proof of a demonstration sees what it must see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from simulator.demo_proof import Facts, Verdict, judge, told_by_receiver

GOLDEN = Path(__file__).parent.parent / "fhir" / "golden"
AT = datetime(2026, 11, 22, 7, 30, 20, tzinfo=UTC)

PRESSURE = Facts(
    meter="5181000124",
    patients=frozenset({"urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"}),
    numbers=frozenset(
        {
            ("150021", "121", "mm[Hg]"),
            ("150022", "81", "mm[Hg]"),
            ("150023", "94", "mm[Hg]"),
            ("149546", "60", "/min"),
        }
    ),
    meal=None,
    statuses=frozenset({"final"}),
    moments=frozenset({AT}),
)
LATER = replace(PRESSURE, moments=frozenset({AT + timedelta(hours=1)}))


def test_a_bundle_is_read_as_plain_json() -> None:
    assert told_by_receiver((GOLDEN / "blood-pressure.json").read_bytes()) == PRESSURE


def test_once_each_is_as_promised() -> None:
    assert judge([PRESSURE, LATER], [LATER, PRESSURE]) == Verdict()


def test_whole_seconds_of_a_meters_clock_are_no_difference() -> None:
    home = timezone(timedelta(hours=1))
    heard = replace(PRESSURE, moments=frozenset({(AT - timedelta(seconds=1)).astimezone(home)}))
    assert judge([PRESSURE], [heard]) == Verdict()


def test_what_is_not_there_is_lost() -> None:
    verdict = judge([PRESSURE, LATER], [PRESSURE])
    assert (verdict.lost, verdict.doubled) == ({PRESSURE.meter: 1}, {})
    assert verdict.complaints[0].startswith("lost: ")


def test_what_is_there_twice_is_doubled() -> None:
    verdict = judge([PRESSURE], [PRESSURE, PRESSURE])
    assert (verdict.lost, verdict.doubled) == ({}, {PRESSURE.meter: 1})
    assert verdict.complaints[0].startswith("doubled: ")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(PRESSURE, patients=frozenset({"somebody"})), "patient somebody instead of urn"),
        (replace(PRESSURE, moments=LATER.moments), "time 2026-11-22 08:30:20"),
        (replace(PRESSURE, moments=frozenset({None})), "time None"),
        (replace(PRESSURE, moments=frozenset()), "no time"),
        (replace(PRESSURE, numbers=frozenset({("150021", "121.0", "mm[Hg]")})), "values 121.0"),
        (replace(PRESSURE, meal="fasting"), "meal fasting instead of None"),
        (replace(PRESSURE, meter="another"), "meter another instead of 5181000124"),
        (replace(PRESSURE, statuses=frozenset({"amended"})), "status amended instead of final"),
    ],
)
def test_what_is_there_otherwise_is_said(changed: Facts, words: str) -> None:
    verdict = judge([PRESSURE], [changed])
    assert verdict.lost == {PRESSURE.meter: 1}
    assert verdict.doubled == {changed.meter: 1}
    assert "never measured so" in verdict.complaints[0]
    assert words in verdict.complaints[0]
