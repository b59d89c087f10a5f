"""What a receiver may count on in a Bundle, as JSON Schemas; written by hand.

FHIR R4 itself and the profiles say the rest.
"""

from typing import Any, Final

Schema = dict[str, Any]

_URN: Schema = {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"}

_IDENTIFIER: Schema = {
    "description": "UUID version 5 of `bundle:VERSION` in the name space of the message's `id`:"
    " another one is refused.",
    "type": "object",
    "required": ["system", "value"],
    "properties": {"system": {"const": "urn:ietf:rfc:3986"}, "value": _URN},
}

_ENTRY: Schema = {
    "type": "object",
    "required": ["fullUrl", "resource", "request"],
    "properties": {
        "fullUrl": _URN,
        "resource": {
            "description": "Other kinds than are sent today may come in version 1.",
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string"}},
        },
        "request": {
            "type": "object",
            "required": ["method", "url"],
            "properties": {
                "method": {
                    "description": "POST with ifNoneExist creates what is not there; PUT by"
                    " identifier brings a later version.",
                    "enum": ["POST", "PUT"],
                },
                "url": {"type": "string"},
                "ifNoneExist": {"type": "string"},
            },
        },
    },
}


def _of(resource: str, method: Schema, url: str) -> Schema:
    """An entry with that kind of resource, and what is to be done with it."""
    return {
        "properties": {
            "resource": {"properties": {"resourceType": {"const": resource}}},
            "request": {"properties": {"method": method, "url": {"pattern": url}}},
        }
    }


def _bundle(title: str, description: str, entries: Schema) -> Schema:
    return {
        "title": title,
        "description": description,
        "type": "object",
        "required": ["resourceType", "type", "identifier", "entry"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "meta": {
                "description": "Only of test data: `security` has HTEST, as in every resource.",
                "type": "object",
            },
            "type": {"const": "transaction"},
            "identifier": _IDENTIFIER,
            "timestamp": {"type": "string", "format": "date-time"},
            "entry": {"type": "array", **entries, "items": _ENTRY},
        },
    }


READING: Final = _bundle(
    "Body of up/observation: a reading",
    "A FHIR R4 (4.0.1) transaction Bundle: one reading, with the meter and the gateway. A second"
    " POST of it changes nothing.",
    {"minItems": 3, "contains": _of("Observation", {"enum": ["POST", "PUT"]}, "^Observation")},
)

DEVICE: Final = _bundle(
    "Body of up/observation: a Device",
    "A FHIR R4 (4.0.1) transaction Bundle: a meter or the gateway as it is now, in place of what"
    " was known of it.",
    {"minItems": 1, "contains": _of("Device", {"const": "PUT"}, "^Device[?]identifier=")},
)
