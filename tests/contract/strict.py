"""The published schemas, closed: what we send may have nothing in it that is not described there.

What is published is open, since version 1 may add members and resources at any time.
"""

from copy import deepcopy
from typing import Any

Schema = dict[str, Any]

_RESOURCES = {
    "observation": ["Device", "Observation", "Patient"],
    "device": ["Device"],
}


def strict(name: str, published: Schema) -> Schema:
    """*name*: of the schema's file."""
    schema = deepcopy(published)
    _close(schema)
    if name in _RESOURCES:
        resource = schema["properties"]["entry"]["items"]["properties"]["resource"]
        del resource["additionalProperties"]  # what may stand in it, FHIR says
        resource["required"].append("identifier")
        resource["properties"]["resourceType"] = {"enum": _RESOURCES[name]}
    if name == "device":
        schema["properties"]["entry"]["maxItems"] = 1
    if name == "reply":
        schema["properties"]["result"]["anyOf"] = [
            each for each in schema["properties"]["result"]["anyOf"] if "not" not in each
        ]
    return schema


def _close(schema: Any) -> None:
    """Every object with described members, itself and those in it; not the parts of a choice."""
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    for word in ("properties", "$defs"):
        for each in schema.get(word, {}).values():
            _close(each)
    for each in schema.get("anyOf", ()):
        _close(each)
    _close(schema.get("items"))
