"""What FUT's refusals mean for us; pure.

FUT publishes its errors by name and text (its IG, systematic-error-messages), and says that the
text stands in an issue's `diagnostics`. Names were seen in newer pages, so both are looked for; the
fragments below are what of each text does not vary.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from backend.onward_answer import Answer
from backend.onward_json import part, parts, word


class Verdict(Enum):
    """Who must act?"""

    DONE = "FUT has it"
    NEVER = "it will be refused again as it is"
    DOUBTFUL = "the same, but it may have been stored"
    REFRESH = "the token is not the right one: once more with a new one"
    LATER = "nothing was stored; it may be next time"
    UNKNOWN = "it may have been stored"


SUBMIT = "MEASUREMENT_SUBMITMEASUREMENT_"

PERMANENT: Mapping[str, str] = {  # name: fragment of its text
    f"{SUBMIT}INVALID_OBSERVATION_CODE": "Observation.code does not match",
    f"{SUBMIT}PROCEDURE_REQUEST_IS_NOT_ACTIVE": "Procedure request with id",
    f"{SUBMIT}INVALID_RESOLVED_TIMING": "ResolvedTiming must have",
    f"{SUBMIT}INVALID_STATUS": "",
    f"{SUBMIT}INPUT_FOR_DIFFERENT_PATIENTS": "are for different patients",
    f"{SUBMIT}INPUT_NOT_PART_OF_SAME_EPISODEOFCARE": "part of the same episode of care",
    f"{SUBMIT}DIFFERENT_PATIENT_REFERENCE": "patient referenced by the EpisodeOfCare is different",
    f"{SUBMIT}INPUT_SHOULD_REFERENCE_PATIENT": "should reference a patient",
    f"{SUBMIT}INPUT_SHOULD_REFERENCE_EPISODEOFCARE": "should reference an episode of care",
    f"{SUBMIT}MORE_THAN_ONE_DEVICE_QUALITY": "Only one device quality",
    f"{SUBMIT}EMPTY_INPUT_BUNDLE": "does not contain any resources.",
    f"{SUBMIT}INPUT_BUNDLE_CONTAINS_NONE_OF_EXPECTED_RESOURCES": "any resources of type EHealth",
    f"{SUBMIT}INPUT_BUNDLE_CONTAINS_INVALID_RESOURCES": "contains resources which are not of type",
    "SYSTEM_TAG_UNEXPECTED_TAG": "contains system tag",
    "GENERAL_RESOURCE_NOT_FOUND": "is not found",
    "GENERAL_VALIDATION_ERROR": "Validation error",
}
TOKEN: Mapping[str, str] = {
    "CONTEXT_VALIDATION_EPISODEOFCARE_EXCEPTION": "does not match the security token context",
    "SECURITY_TOKEN_CONTEXT_NOT_ALLOWED": "Security token context not allowed",
    "SECURITY_TOKEN_INSUFFICIENT_PERMISSION": "Insufficient permission for",
    "SECURITY_TOKEN_CONTEXT_MISSING": "Security token context missing",
    "SECURITY_RESOURCE_NOT_MATCHING_TOKEN_CONTEXT": "not matching security token context",
    "SECURITY_USER_NOT_ALLOWED": "Resource not allowed for user",
    "SECURITY_OPERATION_NOT_ALLOWED_FOR_USER_TYPE": "Operation not allowed for user type",
}

RIGHTS = {401, 403}
REFUSED_BEFORE_WORK = {408, 413, 425, 429}
ADDRESS = {404, 405, 410}


def name_of(answer: Answer) -> str | None:
    """FUT's name of the first error that is known.

    A fragment of a text may stand in anybody's words, so it counts only where the status says the
    same: that we are at fault, or that the token is.
    """
    for text in _texts(answer):
        for names in (TOKEN, PERMANENT):
            for name, fragment in names.items():
                if name in text or (fragment and fragment in text and _may_mean(answer, names)):
                    return name
    return "SECURITY_TOKEN" if any("SECURITY_TOKEN_" in t for t in _texts(answer)) else None


def _may_mean(answer: Answer, names: Mapping[str, str]) -> bool:
    return 400 <= answer.status < 500 and (names is TOKEN or answer.status not in RIGHTS)


def token_refused(answer: Answer) -> bool:
    """Whether the call came to nothing for its token, so that it may be made again at once."""
    if not 400 <= answer.status < 500:
        return False
    named = name_of(answer)
    return answer.status in RIGHTS if named is None else named not in PERMANENT


def verdict(answer: Answer, entries: int) -> Verdict:
    """Of `$submit-measurement` with so many *entries*, which FUT takes as a whole or not at all."""
    name, status = name_of(answer), answer.status
    if status >= 500:  # whatever was said, something may have been stored before it
        return Verdict.DOUBTFUL if name in PERMANENT else Verdict.UNKNOWN
    if answer.good:
        if answer.errors():
            return Verdict.UNKNOWN if name in TOKEN else Verdict.DOUBTFUL
        return Verdict.DONE if created(answer) == entries else Verdict.UNKNOWN
    if name is not None:
        return Verdict.NEVER if name in PERMANENT else Verdict.REFRESH
    if status in RIGHTS:
        return Verdict.REFRESH
    if status in REFUSED_BEFORE_WORK or status in ADDRESS or status < 400:
        return Verdict.LATER
    return Verdict.UNKNOWN if status == 409 else Verdict.NEVER


def created(answer: Answer) -> int:
    """How many resources it says that it created."""
    body = answer.body or {}
    if word(body, "resourceType") == "Parameters":  # the output parameter is called `bundle`
        told = parts(body, "parameter")
        body = part(told[0], "resource") if len(told) == 1 else {}
    if word(body, "type") != "transaction-response":
        return 0
    statuses = [word(part(entry, "response"), "status") for entry in parts(body, "entry")]
    return sum(status.startswith("20") for status in statuses)


def _texts(answer: Answer) -> Iterator[str]:
    for issue in answer.errors():
        details = part(issue, "details")
        yield word(issue, "diagnostics")
        yield word(details, "text")
        yield from (word(each, "code") for each in parts(details, "coding"))
