"""A broken Bundle counts as refused for what is wrong with it alone."""

from tests.conformance.validator import Issue
from tests.conformance.verdict import wrong
from tests.fhir.mutants import MUTANTS

SEEN = next(mutant for mutant in MUTANTS if mutant.what == "no model")
UNSEEN = next(mutant for mutant in MUTANTS if mutant.what == "an Observation deleted")
EXPECTED = Issue("error", "Device", "x", f"{SEEN.hl7} = 1, but only found 0")


def test_the_expected_error_is_enough() -> None:
    assert wrong(SEEN, [EXPECTED], []) == ""
    assert wrong(SEEN, [], [EXPECTED]) == ""


def test_another_error_is_not() -> None:
    assert "does not say" in wrong(SEEN, [EXPECTED._replace(says="something else")], [])


def test_a_warning_is_not() -> None:
    assert "does not say" in wrong(SEEN, [EXPECTED._replace(severity="warning")], [])


def test_what_the_validator_refuses_after_all_is_told() -> None:
    assert wrong(UNSEEN, [], []) == ""
    assert "after all" in wrong(UNSEEN, [EXPECTED], [])


def test_a_rule_of_ours_that_refuses_nothing_is_told() -> None:
    assert "our rule status" in wrong(UNSEEN._replace(rule="status"), [], [])
