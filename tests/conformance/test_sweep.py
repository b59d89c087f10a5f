"""The Bundles in which every element is changed: each is another one, and most are refused."""

from tests.conformance.sweep import changed
from tests.fhir.records import CASES
from tests.fhir.rules import faults


def test_every_change_has_a_name_of_its_own() -> None:
    names = [name for name, _, _ in changed()]
    assert len(names) == len(set(names))


def test_every_element_that_is_left_empty_is_refused() -> None:
    emptied = [(case, bundle) for name, case, bundle in changed() if name.endswith(" emptied")]
    assert emptied
    assert all(faults(bundle, CASES[case]) for case, bundle in emptied)
