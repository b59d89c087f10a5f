"""What becomes of every code that a driver gives a reading: what was eaten, where blood was drawn.

A code travels as an Observation of its own (PhdCodedEnumerationObservation). An answer without a
confirmed MDC number is text, so that no receiver learns a wrong number: bedtime, for which sources
disagree, and numbers that the specification reserves.
"""

from collections.abc import Mapping

from drivers.api import Code
from gateway.fhir.codes import CODES, coded
from gateway.fhir.serial import Resource

TOPICS = ("carbohydrate", "health", "meal", "medication", "sample-location", "tester")

UNTOLD = ("not-available", "reserved-0")  # a meter's words for having nothing to say
NEVER: Mapping[Code, str] = {
    # i-SENS meters store ketones among their glucose records and mark them so.
    Code("meal", "reserved-6"): "meal 6 marks a ketone value on some meters, not glucose",
    Code("sample-type", "control-solution"): "a control solution is no person's value",
    Code("sample-location", "control-solution"): "a control solution is no person's value",
}

# What these say is in the code of the measurement itself.
IN_THE_CODE: Mapping[str, str] = {"sample-type": "glucose", "temperature-type": "body-temperature"}


def answer(code: Code) -> Resource:
    """A CodeableConcept: coded where that is safe, in words always."""
    of = f"{code.system}/{code.code}"
    words: Resource = {"text": code.code.replace("-", " ")}
    return {**coded(of), **words} if of in CODES else words


def asked(code: Code) -> bool:
    """Whether this code travels as an Observation of its own."""
    return code.system in TOPICS and code.code not in UNTOLD


def note(code: Code) -> str | None:
    """The words for a code that has neither an Observation nor a place in the measurement's."""
    if code.system in TOPICS or f"{IN_THE_CODE.get(code.system)}/{code.code}" in CODES:
        return None
    return f"{code.system}: {code.code}"
