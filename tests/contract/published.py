"""The published contract, docs/contract/: hold any message against it, as a stranger would.

Uses the files alone, none of our models.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.contract.strict import strict

DIRECTORY = Path(__file__).parent.parent.parent / "docs" / "contract"
SCHEMAS = DIRECTORY / "schema"
EXAMPLES = DIRECTORY / "examples"

Pairs = Iterable[tuple[str, str]]
Schema = dict[str, Any]


def objections(topic: str, body: bytes, user_properties: Pairs) -> list[str]:
    """What is wrong with a message by its channel's published schema; empty if nothing is."""
    return _said(topic, body, user_properties, _published)


def violations(topic: str, body: bytes, user_properties: Pairs) -> list[str]:
    """The same for a message that we send: nothing that is not described may be in it either."""
    return _said(topic, body, user_properties, lambda name: strict(name, _published(name)))


def _said(
    topic: str, body: bytes, user_properties: Pairs, schema: Callable[[str], Schema]
) -> list[str]:
    def errors(name: str, document: object) -> list[str]:
        validator = Draft202012Validator(schema(name), format_checker=FormatChecker())
        found = validator.iter_errors(document)
        return [f"{name}{error.json_path[1:]}: {error.message}" for error in found]

    channel = topic.rpartition("/")[2]
    if channel != "observation":
        return errors(channel, json.loads(body))
    pairs = list(user_properties)
    about = "device" if dict(pairs).get("type") == "hjemgate.device.1" else "observation"
    names = [name for name, _ in pairs]
    twice = [f"{name}: given twice" for name in sorted(set(names)) if names.count(name) > 1]
    return errors(about, json.loads(body)) + twice + errors("observation-properties", dict(pairs))


def _published(name: str) -> Schema:
    schema: Schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    return schema
