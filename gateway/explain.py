"""What is wrong with a configuration, in a technician's words: what was expected, what to write."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

# pydantic's error type -> what it expected; the fields of an error's context may be named.
EXPECTED = {
    "int_type": "a whole number without quotes",
    "int_from_float": "a whole number without quotes",
    "float_type": "a number without quotes",
    "finite_number": "a finite number",
    "bool_type": "true or false without quotes",
    "string_type": "text in double quotes",
    "string_too_short": "text that is not empty",
    "path_type": "the path of a file in double quotes",
    "tuple_type": 'a list: ["one", "two"]',
    "literal_error": "one of {expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "value_error": "{error}",
}

# Where a pattern says too little: what it stands for.
PATTERNS = {
    "gateway.id": '"gw-" and then 10 of 0-9 a-h j k m n p-t v-z',
    "gateway.organisation": "1 to 64 of A-Z a-z 0-9 . _ -",
}

LONGEST_VALUE = 60  # of what was written, repeated in an error: it is to be one readable line


def explain(model: type[BaseModel], error: Mapping[str, Any]) -> str:
    """One error of pydantic as `key: expected this, got that; do so`. *model* is the whole file."""
    *parents, last = (str(part) for part in error["loc"])
    key = ".".join((*parents, last))
    where = f"section [{'.'.join(parents)}]" if parents else "the top of the file"
    match error["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key in {where}; {_nearest(model, parents, last)}"
        case "missing" if not parents:
            return f"{key}: missing; write a line [{last}] and its settings below it"
        case "missing":
            return f"{key}: missing; write {last} = ... in {where}"
        case "model_type":
            return f"{key}: expected a section, got {_shown(error)}; write a line [{key}]"
        case "string_pattern_mismatch":
            expected = PATTERNS[key]
        case kind:
            expected = EXPECTED.get(kind, str(error["msg"])).format(**error.get("ctx", {}))
    return f"{key}: expected {expected}, got {_shown(error)}; correct it in {where}"


def _shown(error: Mapping[str, Any]) -> str:
    shown = json.dumps(error["input"], ensure_ascii=False, default=str)
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 3] + "..."


def _nearest(model: type[BaseModel], parents: list[str], key: str) -> str:
    section: Any = model
    for parent in parents:
        section = section.model_fields[parent].annotation
    known = sorted(section.model_fields)
    import difflib  # noqa: PLC0415 - memory: only where something is wrong

    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
