"""The judge of the torture: it finds what it is there to find."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from simulator.demo_proof import Facts
from tests.torture.judgement import judge

NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
WEIGHT = frozenset({("188736", "72.6", "kg")})
TRUE = Facts("SIM-0083", frozenset({"anna"}), WEIGHT, None, frozenset({"final"}), frozenset({NOON}))
LATER = replace(TRUE, moments=frozenset({NOON + timedelta(hours=1)}))


def test_all_is_well_when_each_reading_is_held_once() -> None:
    assert judge([TRUE, LATER], [LATER, TRUE]).well


def test_a_reading_that_is_not_held_is_lost() -> None:
    assert judge([TRUE, LATER], [TRUE]).lost == [LATER]


def test_a_reading_that_is_held_twice_is_doubled_and_hides_no_loss() -> None:
    verdict = judge([TRUE, LATER], [TRUE, TRUE])
    assert (verdict.doubled, verdict.lost, verdict.wrong_time) == (1, [LATER], 0)


def test_another_person_is_a_wrong_patient_and_no_loss() -> None:
    verdict = judge([TRUE], [replace(TRUE, patients=frozenset({"bodil"}))])
    assert (verdict.wrong_patient, verdict.lost, verdict.doubled) == (1, [], 0)


def test_another_time_is_a_wrong_time_and_no_loss() -> None:
    for moments in (frozenset({NOON + timedelta(minutes=1)}), frozenset({None}), frozenset()):
        verdict = judge([TRUE], [replace(TRUE, moments=moments)])
        assert (verdict.wrong_time, verdict.lost, verdict.doubled) == (1, [], 0)


def test_what_was_never_measured_is_told_of() -> None:
    assert judge([], [TRUE]).complaints[0].startswith("never measured")
