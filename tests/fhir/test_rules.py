"""The rules are worth something: each of them refuses a Bundle that breaks it alone."""

import pytest

from tests.fhir.mutants import MUTANTS, Mutant
from tests.fhir.rules import BUNDLE_RULES, RECORD_RULES, RULES


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_bundle_that_breaks_a_rule_is_refused_by_it(mutant: Mutant) -> None:
    assert mutant.rule in {fault.partition(":")[0] for fault in mutant.faults()}


def test_every_rule_has_a_bundle_that_breaks_it() -> None:
    rules = set(BUNDLE_RULES).union(RECORD_RULES, *RULES.values())
    assert {mutant.rule for mutant in MUTANTS} == rules


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)
