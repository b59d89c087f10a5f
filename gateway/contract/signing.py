"""What the signature of a command covers, and how the command is read back from it. Pure.

The octets are the topic, a line feed, and the command without its member `signature` in canonical
form (RFC 8785): no space, names in order, UTF-8. The topic is in it so that a command for one
gateway is none for another.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.contract.base import MAX_DOWN, ContractError


def signed_octets(topic: str, document: Mapping[str, Any]) -> bytes:
    """To be signed with Ed25519 (RFC 8032); the signature then stands in *document* as Base64.

    Raises ContractError for a number with a fraction: RFC 8785 and Python print some differently.
    """
    rest = {name: value for name, value in document.items() if name != "signature"}
    _no_fractions(rest)
    try:
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"{topic}\n{text}".encode()
    except UnicodeEncodeError:
        raise ContractError("text that is no Unicode") from None


def signed_document(body: bytes) -> dict[str, Any]:
    """The members of a command as they were sent, no name twice. Raises ContractError."""
    if len(body) > MAX_DOWN:
        raise ContractError(f"expected at most {MAX_DOWN} octets, got {len(body)}")
    try:
        document = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise ContractError("not JSON, or a name stands in it twice") from None
    if not isinstance(document, dict):
        raise ContractError("expected a JSON object")
    return document


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(name)
        found[name] = value
    return found


def _no_fractions(value: object) -> None:
    if isinstance(value, float):
        raise ContractError("numbers in a command are whole numbers")
    if isinstance(value, dict):
        for each in value.values():
            _no_fractions(each)
    elif isinstance(value, list):
        for each in value:
            _no_fractions(each)
