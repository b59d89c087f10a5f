"""FHIR's JSON with its numbers as they were sent: 61.0 stays 61.0."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]


def parsed(octets: bytes) -> Any:  # noqa: ANN401 -- whatever stood there
    """Decimals where there was a point or an exponent. Raises ValueError."""
    try:
        return json.loads(octets, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deeply") from None


# Of what a stranger wrote: the member if it has the shape that is meant, else nothing.


def word(element: Json, name: str) -> str:
    found = element.get(name)
    return found if isinstance(found, str) else ""


def part(element: Json, name: str) -> Json:
    found = element.get(name)
    return found if isinstance(found, dict) else {}


def parts(element: Json, name: str) -> list[Json]:
    found = element.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def octets(element: object) -> bytes:
    """*element*: what `parsed` returns; compact, UTF-8."""
    return _text(element).encode()


def _text(element: object) -> str:
    match element:
        case Decimal():
            return str(element)
        case Mapping():
            return "{" + ",".join(f"{_word(n)}:{_text(v)}" for n, v in element.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_text(each) for each in element) + "]"
        case _:
            return _word(element)


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
