"""JSON as FHIR wants it: a number keeps the digits that the meter sent.

The standard library's encoder knows no Decimal, and a float would turn 36.60 into 36.6.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from gateway.fhir.errors import RenderError

Json: TypeAlias = "str | bool | int | Decimal | Sequence[Json] | Mapping[str, Json]"
Resource: TypeAlias = dict[str, Json]


def dumps(document: Json) -> bytes:
    """UTF-8, no white space, keys in the order given: the same document, the same octets.

    Raises RenderError for a number that is not finite and for text that is not Unicode.
    """
    try:
        return "".join(_tokens(document)).encode()
    except UnicodeEncodeError as error:
        raise RenderError("a text holds half a surrogate pair") from error


def _tokens(node: Json) -> Iterator[str]:
    match node:
        case str():
            yield json.dumps(node, ensure_ascii=False)
        case bool():
            yield "true" if node else "false"
        case int():
            yield str(node)
        case Decimal():
            yield _plain(node)
        case Mapping():
            yield from _joined("{", (_member(name, item) for name, item in node.items()), "}")
        case _:
            yield from _joined("[", (_tokens(item) for item in node), "]")


def _member(name: str, item: Json) -> Iterator[str]:
    yield f"{json.dumps(name, ensure_ascii=False)}:"
    yield from _tokens(item)


def _joined(opening: str, items: Iterator[Iterator[str]], closing: str) -> Iterator[str]:
    yield opening
    for number, item in enumerate(items):
        if number:
            yield ","
        yield from item
    yield closing


def _plain(number: Decimal) -> str:
    if not number.is_finite():
        raise RenderError("a special value stands where a number must")
    return format(number, "f")
