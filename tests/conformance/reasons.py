"""Why what HL7's validator says is no fault. A warning without a reason fails the run.

No error of a Bundle has one. Held against R4's vital signs as well, which the Bundles do not claim,
two kinds of Observations have errors that have.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tests.conformance.validator import Issue


class Reason(NamedTuple):
    id: str  # the message's name
    part: str  # of what it says
    because: str


ERRORS = ("error", "fatal")

REASONS = (
    Reason(
        "http://hl7.org/fhir/StructureDefinition/DomainResource#dom-6",
        "A resource should have narrative",
        "These are readings of a machine for machines. A narrative repeats the numbers, in words"
        " that nobody has checked, and doubles the message.",
    ),
    Reason(
        "All_observations_should_have_a_performer",
        "all observations should have a performer",
        "Two clocks were read: the gateway is the device of that Observation, nobody performed it."
        " Every measurement has a performer, but where a meter says that another than the citizen"
        " measured, and does not say who.",
    ),
    Reason(
        "Terminology_TX_NoValid_2_CC",
        "'Observation Interpretation Codes'",
        "HL7's PHD guide demands a code of measurement-status here. R4's own list has high and low,"
        " and nothing for questionable or early: no suitable code.",
    ),
    Reason(
        "Terminology_TX_Code_ValueSet_Ext",
        "'MDC Value Set'",
        "The meter said something that no confirmed MDC code says (bedtime, a reserved number):"
        " words rather than a number that a receiver would misread.",
    ),
    Reason(
        "Terminology_TX_Code_ValueSet_Ext",
        "'Continua PHD-PHG Device Interfaces ValueSet'",
        "The meter is certified for an interface whose number the guide's list does not have (a USB"
        " scale would be 8207 by the pattern of the other transports, the list has 8217): words"
        " rather than nothing.",
    ),
)


VITAL_SIGNS = (
    *REASONS[:1],
    *REASONS[2:3],
    Reason(
        "#vs-1",
        "if Observation.effective[x] is dateTime and has a value",
        "The time is unknown and said to be, so there is no value; the words of the rule allow it,"
        " the expression below them does not.",
    ),
    Reason(
        "Terminology_TX_NoValid_1_CC",
        "'Vital Signs Units'",
        "The modality of a spot check (component 68193), as HL7's PHD guide demands it and as its"
        " own example of a pulse has it: R4 takes every component for a quantity with a unit.",
    ),
    Reason(
        "Terminology_TX_NoValid_2_CC",
        "'Vital Signs'",
        "The same component: that a pulse was a spot check is not itself a vital sign.",
    ),
)


def reason(issue: Issue, reasons: Iterable[Reason]) -> Reason | None:
    return next((r for r in reasons if issue.id.endswith(r.id) and r.part in issue.says), None)


def refusals(issues: Iterable[Issue]) -> list[Issue]:
    """Of a Bundle: errors, and warnings that nothing explains."""
    return [
        issue
        for issue in issues
        if issue.severity in ERRORS
        or (issue.severity == "warning" and reason(issue, REASONS) is None)
    ]


def vital_refusals(issues: Iterable[Issue]) -> list[Issue]:
    """Of an Observation held against R4's vital signs: whatever nothing explains."""
    return [
        issue
        for issue in issues
        if issue.severity in (*ERRORS, "warning") and reason(issue, VITAL_SIGNS) is None
    ]
