"""JSON Schemas of the contract, made from the models; written by `python -m gateway.contract`.

What is published is open: version 1 may add members, and nobody is to refuse a message for that.
"""

import json

from pydantic import TypeAdapter

from gateway.contract.base import Received
from gateway.contract.bundles import DEVICE, READING, Schema
from gateway.contract.command import Command, Reply
from gateway.contract.properties import Properties
from gateway.contract.receipt import Receipts
from gateway.contract.replay import REPLAY, ReplayArguments
from gateway.contract.status import Offline, Status
from gateway.contract.withdrawal import WITHDRAW, WithdrawArguments

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ARGUMENTS: dict[str, type[Received]] = {REPLAY: ReplayArguments, WITHDRAW: WithdrawArguments}


def schemas() -> dict[str, Schema]:
    """By file name without its ending; the body of each message, and the user properties."""
    made: dict[str, Schema] = {
        "observation": READING,
        "device": DEVICE,
        "observation-properties": _properties(),
        "status": _status(),
        "reply": _reply(),
        "receipt": Receipts.model_json_schema(mode="validation"),
        "command": _command(),
    }
    return {name: {"$schema": DIALECT, **_open(schema)} for name, schema in made.items()}


def _open(schema: Schema) -> Schema:
    """The same, and members that it does not describe, at every depth."""
    opened: Schema = json.loads(json.dumps(schema), object_hook=_opened)
    return opened


def _opened(part: Schema) -> Schema:
    closed = ("additionalProperties", False)
    return {name: value for name, value in part.items() if (name, value) != closed}


def _command() -> Schema:
    """The arguments of those commands that are carried out; another command has its own."""
    schema = Command.model_json_schema(mode="validation")
    known = [
        {
            "properties": {
                "command": {"const": command},
                "arguments": {"$ref": f"#/$defs/{model.__name__}"},
            },
            "required": ["arguments"],
        }
        for command, model in _ARGUMENTS.items()
    ]
    other = {"properties": {"command": {"not": {"enum": list(_ARGUMENTS)}}}}
    schema["oneOf"] = [*known, other]
    for model in _ARGUMENTS.values():
        schema["$defs"][model.__name__] = _without_null(model.model_json_schema())
    return schema


def _status() -> Schema:
    """Told apart by `online`, which is always there."""
    schema = TypeAdapter(Status | Offline).json_schema(mode="serialization")
    for model in (Status, Offline):
        schema["$defs"][model.__name__]["required"].insert(0, "online")
    return schema


def _reply() -> Schema:
    """The result of a replay; another command's has none of its members."""
    schema = Reply.model_json_schema(mode="serialization")
    another = {"type": "object", "not": {"required": ["again"]}}
    schema["properties"]["result"]["anyOf"].append(another)
    return schema


def _properties() -> Schema:
    """User properties are text on the wire: this is a schema of {name: text}."""
    model = Properties.model_json_schema(mode="serialization")
    fields = _without_null(model)["properties"]
    optional = [name for name, field in model["properties"].items() if "anyOf" in field]
    return {
        "title": "User properties of up/observation",
        "description": "CloudEvents 1.0 attributes and ours. Others may come and are to be"
        " ignored.",
        "type": "object",
        "required": [name for name in fields if name not in optional],
        "properties": {name: _as_text(field) for name, field in fields.items()},
    }


def _without_null(model: Schema) -> Schema:
    """What may be left out is left out; null is nothing to write."""
    fields = {}
    for name, field in model["properties"].items():
        rest = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
        for each in field.get("anyOf", ()):
            if each != {"type": "null"}:
                rest |= each
        fields[name] = rest
    return {**model, "properties": fields}


def _as_text(field: Schema) -> Schema:
    about: Schema = {name: field[name] for name in ("title", "description") if name in field}
    if field["type"] == "boolean":
        return {**about, "enum": ["true", "false"]}
    if field["type"] == "integer":
        pattern = _positive_up_to(field["exclusiveMaximum"] - 1)
        return {**about, "type": "string", "pattern": pattern}
    return field


def _positive_up_to(most: int) -> str:
    """A pattern of the whole numbers from 1 to *most*: no sign, no zero in front."""
    digits = str(most)
    ways = [f"[1-9][0-9]{{0,{len(digits) - 2}}}"]  # those with fewer digits
    for place, digit in enumerate(digits):
        least = 0 if place else 1
        if int(digit) > least:  # the same until here, and less from here on
            rest = len(digits) - place - 1
            ways.append(f"{digits[:place]}[{least}-{int(digit) - 1}][0-9]{{{rest}}}")
    return f"^({'|'.join([*ways, digits])})$"
