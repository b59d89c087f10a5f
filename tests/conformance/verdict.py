"""Whether a broken Bundle is refused for what is wrong with it, and by whom."""

from collections.abc import Sequence

from tests.conformance.reasons import ERRORS, refusals, vital_refusals
from tests.conformance.validator import Issue
from tests.fhir.mutants import Mutant


def complaints(bundle: Sequence[Issue], vital: Sequence[Issue]) -> list[Issue]:
    """What nothing explains: of the Bundle, and of its vital signs by their own profiles."""
    return [*refusals(bundle), *vital_refusals(vital)]


def wrong(mutant: Mutant, bundle: Sequence[Issue], vital: Sequence[Issue]) -> str:
    """Empty if all is as it should be.

    HL7's validator must give the error that stands with the mutant, a warning is not enough. A
    mutant without one must pass as a Bundle, or it ought to have one.
    """
    errors = [issue for issue in complaints(bundle, vital) if issue.severity in ERRORS]
    if mutant.hl7 and not any(mutant.hl7 in f"{error.at}: {error.says}" for error in errors):
        return f"HL7's validator does not say {mutant.hl7!r}, but {[e.says for e in errors]}"
    if not mutant.hl7 and any(issue.severity in ERRORS for issue in bundle):
        return f"HL7's validator refuses it after all: {[error.says for error in errors]}"
    rules = {fault.partition(":")[0] for fault in mutant.faults()}
    return "" if mutant.rule in rules else f"our rule {mutant.rule} does not refuse it"
