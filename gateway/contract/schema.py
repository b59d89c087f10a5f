"""JSON Schemas of the contract, made from the models; written by `python -m gateway.contract`."""

from typing import Any

from pydantic import TypeAdapter

from gateway.contract.command import Command, Reply
from gateway.contract.properties import DEVICE, OBSERVATION
from gateway.contract.receipt import Receipts
from gateway.contract.status import Offline, Status

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_POSITIVE = "^[1-9][0-9]{0,18}$"

# User properties are text on the wire: this is a schema of {name: value}.
_PROPERTIES: Schema = {
    "title": "User properties of up/observation",
    "description": "CloudEvents 1.0 attributes and ours. Others may come and are to be ignored.",
    "type": "object",
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "epoch",
        "seq",
        "version",
        "late",
        "sha256",
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {
            "description": "The reading, or the Device; the same for every version and resend.",
            "type": "string",
            "format": "uuid",
        },
        "source": {
            "description": "The gateway.",
            "type": "string",
            "pattern": "^/hjemgate/1/[A-Za-z0-9._-]{1,64}/gw-[0-9a-hjkmnp-tv-z]{10}$",
        },
        "type": {"enum": [OBSERVATION, DEVICE]},
        "time": {
            "description": "When it was measured, or the Device changed; left out where unknown.",
            "type": "string",
            "format": "date-time",
        },
        "epoch": {
            "description": "New with every outbox of the gateway.",
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
        },
        "seq": {
            "description": "Counts within the epoch; a gap is a message that has not come.",
            "type": "string",
            "pattern": _POSITIVE,
        },
        "version": {
            "description": "Higher for an amended reading, or a changed Device.",
            "type": "string",
            "pattern": _POSITIVE,
        },
        "late": {
            "description": "Older than 24 hours when it was made ready to send.",
            "enum": ["true", "false"],
        },
        "sha256": {
            "description": "Of the body's octets.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
        },
    },
}

_URN = {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"}

_IDENTIFIER = {
    "description": "UUID version 5 of `bundle:VERSION` in the name space of the message's `id`:"
    " another one is refused.",
    "type": "object",
    "required": ["system", "value"],
    "properties": {"system": {"const": "urn:ietf:rfc:3986"}, "value": _URN},
}


def _bundle(title: str, description: str, entries: Schema, types: list[str], how: Schema) -> Schema:
    """What a receiver may count on in a Bundle; FHIR R4 itself and the profiles say the rest."""
    entry = {
        "type": "object",
        "required": ["fullUrl", "resource", "request"],
        "properties": {
            "fullUrl": _URN,
            "resource": {
                "type": "object",
                "required": ["resourceType", "identifier"],
                "properties": {"resourceType": {"enum": types}},
            },
            "request": {"type": "object", "required": ["method", "url"], "properties": how},
        },
    }
    return {
        "title": title,
        "description": description,
        "type": "object",
        "required": ["resourceType", "type", "identifier", "timestamp", "entry"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"const": "transaction"},
            "identifier": _IDENTIFIER,
            "timestamp": {"type": "string", "format": "date-time"},
            "entry": {"type": "array", **entries, "items": entry},
        },
    }


_READING = _bundle(
    "Body of up/observation: a reading",
    "A FHIR R4 (4.0.1) transaction Bundle: one reading, with the meter and the gateway. A second"
    " POST of it changes nothing.",
    {"minItems": 3},
    ["Device", "Observation", "Patient"],
    {
        "method": {
            "description": "POST with ifNoneExist creates what is not there; PUT by identifier"
            " brings a later version.",
            "enum": ["POST", "PUT"],
        }
    },
)

_DEVICE = _bundle(
    "Body of up/observation: a Device",
    "A FHIR R4 (4.0.1) transaction Bundle: a meter or the gateway as it is now, in place of what"
    " was known of it.",
    {"minItems": 1, "maxItems": 1},
    ["Device"],
    {"method": {"const": "PUT"}, "url": {"type": "string", "pattern": "^Device[?]identifier="}},
)


def schemas() -> dict[str, Schema]:
    """By file name without its ending; the body of each channel, and the user properties."""
    made: dict[str, Schema] = {
        "observation": _READING,
        "device": _DEVICE,
        "observation-properties": _PROPERTIES,
        "status": TypeAdapter(Status | Offline).json_schema(mode="serialization"),
        "reply": Reply.model_json_schema(mode="serialization"),
        "receipt": Receipts.model_json_schema(mode="validation"),
        "command": Command.model_json_schema(mode="validation"),
    }
    return {name: {"$schema": DIALECT, **schema} for name, schema in made.items()}
