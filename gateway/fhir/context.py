"""What becomes of every code that a driver gives a reading: what was eaten, where blood was drawn.

A code travels as an Observation of its own (PhdCodedEnumerationObservation). Only values whose MDC
number is confirmed are coded; the others are text, so that no receiver learns a wrong number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.api import Code
from gateway.fhir.codes import GLUCOSE, TEMPERATURE, Meaning, mdc
from gateway.fhir.serial import Resource


@dataclass(frozen=True, slots=True)
class Topic:
    """A question, and those of its answers that have a confirmed MDC number and name."""

    mdc: str
    name: str
    answers: Mapping[str, tuple[str, str]] = field(default_factory=dict)


TOPICS: Mapping[str, Topic] = {  # by the code's system
    "carbohydrate": Topic("8417764", "MDC_CTXT_GLU_CARB"),
    "health": Topic("8417820", "MDC_CTXT_GLU_HEALTH"),
    "meal": Topic(
        "8417864",
        "MDC_CTXT_GLU_MEAL",
        {"postprandial": ("8417872", "MDC_CTXT_GLU_MEAL_POSTPRANDIAL")},
    ),
    "medication": Topic("8417796", "MDC_CTXT_MEDICATION"),
    "sample-location": Topic("8417844", "MDC_CTXT_GLU_SAMPLELOCATION"),
    "tester": Topic("8417884", "MDC_CTXT_GLU_TESTER"),
}

UNTOLD = ("not-available", "reserved-0")  # a meter's words for having nothing to say
NEVER: Mapping[Code, str] = {
    # i-SENS meters store ketones among their glucose records and mark them so.
    Code("meal", "reserved-6"): "meal 6 marks a ketone value on some meters, not glucose",
    Code("sample-type", "control-solution"): "a control solution is no person's value",
    Code("sample-location", "control-solution"): "a control solution is no person's value",
}

# What these say is in the code of the measurement itself.
IN_THE_CODE: Mapping[str, Mapping[str, Meaning]] = {
    "sample-type": GLUCOSE,
    "temperature-type": TEMPERATURE,
}


def answer(topic: Topic, code: str) -> Resource:
    """A CodeableConcept: coded where that is safe, in words always."""
    words: Resource = {"text": code.replace("-", " ")}
    if code in topic.answers:
        return {"coding": [mdc(*topic.answers[code])], **words}
    return words


def asked(code: Code) -> Topic | None:
    """The question that this code answers in an Observation of its own, if it does."""
    return None if code.code in UNTOLD else TOPICS.get(code.system)


def note(code: Code) -> str | None:
    """The words for a code that has neither an Observation nor a place in the measurement's."""
    if code.system in TOPICS or code.code in IN_THE_CODE.get(code.system, {}):
        return None
    return f"{code.system}: {code.code}"
