"""Nothing that a driver can say is forgotten on the way to FHIR."""

import pytest

from drivers.api import Absent, Code, Driver, Kind, Reading
from drivers.registry import all_drivers
from gateway.fhir import codes, context, status
from tests.fhir.records import device

DRIVERS = list(all_drivers().values())
ANYTHING = device("generic", "")
NOT_IN_A_READING = {  # the record access point's own words, which only `decode` prints
    *("op-code", "operator", "filter-type", "request-op-code", "response-code"),
    *("operand", "number-of-records", "minimum", "maximum"),
}


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_every_flag_of_a_driver_has_a_decision(driver: Driver) -> None:
    decided = status.FLAGS.get(driver.specialization, {})
    assert set(driver.flags) <= set(decided)


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_every_code_of_a_driver_has_a_decision(driver: Driver) -> None:
    undecided = [
        Code(system, code)
        for system, names in driver.codes.items()
        if system not in NOT_IN_A_READING and system not in context.TOPICS
        for code in names
        if Code(system, code) not in context.NEVER
        and f"{context.IN_THE_CODE.get(system)}/{code}" not in codes.CODES
    ]
    assert undecided == []


def test_every_decision_says_one_thing() -> None:
    for decided in status.FLAGS.values():
        for flag, decision in decided.items():
            said = (
                decision.bit is not None,
                bool(decision.interpretation),
                bool(decision.absent),
                decision.test,
                bool(decision.text),
                bool(decision.never),
                bool(decision.silent),
            )
            assert sum(said) == 1, flag


def test_no_two_flags_share_a_bit() -> None:
    for decided in status.FLAGS.values():
        bits = [decision.bit for decision in decided.values() if decision.bit is not None]
        assert len(bits) == len(set(bits))


def test_every_kind_and_every_absence_is_coded() -> None:
    for kind in set(Kind) - set(codes.NEVER_PUBLISHED):
        assert codes.meaning(kind, Reading(), ANYTHING).mdc
    assert set(codes.REASONS) == set(Absent)
