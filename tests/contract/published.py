"""The published contract, docs/contract/: hold any message against it, as a stranger would.

Uses the files alone, none of our models.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

DIRECTORY = Path(__file__).parent.parent.parent / "docs" / "contract"
SCHEMAS = DIRECTORY / "schema"
EXAMPLES = DIRECTORY / "examples"


def violations(topic: str, body: bytes, user_properties: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong with a message by its channel's schema; empty if nothing is."""
    channel = topic.rpartition("/")[2]
    if channel != "observation":
        return _errors(channel, json.loads(body))
    pairs = list(user_properties)
    about = "device" if dict(pairs).get("type") == "hjemgate.device.1" else "observation"
    bundle = _errors(about, json.loads(body))
    names = [name for name, _ in pairs]
    twice = [f"{name}: given twice" for name in sorted(set(names)) if names.count(name) > 1]
    return bundle + twice + _errors("observation-properties", dict(pairs))


def _errors(name: str, document: object) -> list[str]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [
        f"{name}{error.json_path[1:]}: {error.message}" for error in validator.iter_errors(document)
    ]
