"""The contract as an AsyncAPI 3 document; written by `python -m gateway.contract`.

The application that it describes is the gateway: what the gateway sends, a receiver receives.
"""

from typing import Any

from gateway.contract.publication import FHIR, JSON
from gateway.contract.topics import PREFIX

Document = dict[str, Any]

ASYNCAPI = "3.0.0"
VERSION = "1.0.0"  # of the contract: the first number stands in the topics
MQTT_BINDING = "0.2.0"

SCHEMAS = "./schema"

# channel -> (what the gateway does, what it is, content type, schemas of body and properties)
_CHANNELS = {
    "up/observation": (
        "send",
        "One reading: a FHIR R4 transaction Bundle, at least once, in CloudEvents' binary mode.",
        FHIR,
        "observation",
        "observation-properties",
    ),
    "up/status": (
        "send",
        "What is known of the gateway's health; retained. The will says that it is away.",
        JSON,
        "status",
        None,
    ),
    "up/reply": ("send", "The answer to a command.", JSON, "reply", None),
    "down/receipt": (
        "receive",
        "A receiver's word on readings. `stored` or `duplicate` ends the gateway's duty.",
        JSON,
        "receipt",
        None,
    ),
    "down/command": ("receive", "A command, signed by the fleet's key.", JSON, "command", None),
}

_PARAMETERS = {
    "organisation": {
        "description": "The responsible organisation: its SOR code or another opaque id."
    },
    "gateway": {
        "description": "`gw-` and ten of 0-9 a-h j k m n p-t v-z: the common name of its"
        " certificate, its user name and its client id."
    },
}


def asyncapi() -> Document:
    """References to schemas are relative to the folder that it is written to."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "hjemgate",
            "version": VERSION,
            "description": "Readings from the gateways in citizens' homes, and the receipts that"
            " end a gateway's duty. README.md beside this document says what may be relied on.",
            "license": {"name": "MPL-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {
            "broker": {
                "host": "broker.example:8883",
                "protocol": "mqtts",
                "protocolVersion": "5.0",
                "description": "TLS 1.3, a certificate on either side.",
                "security": [{"type": "X509"}],
                "bindings": {
                    "mqtt": {
                        "cleanSession": False,
                        "sessionExpiryInterval": 7 * 86400,
                        "bindingVersion": MQTT_BINDING,
                    }
                },
            }
        },
        "channels": {_name(channel): _channel(channel) for channel in _CHANNELS},
        "operations": {_name(channel): _operation(channel) for channel in _CHANNELS},
    }


def _name(channel: str) -> str:
    return channel.rpartition("/")[2]


def _channel(channel: str) -> Document:
    _, summary, content_type, body, properties = _CHANNELS[channel]
    message: Document = {
        "name": _name(channel),
        "summary": summary,
        "contentType": content_type,
        "payload": {"$ref": f"{SCHEMAS}/{body}.json"},
        "bindings": {"mqtt": {"payloadFormatIndicator": 1, "bindingVersion": MQTT_BINDING}},
    }
    if properties is not None:
        message["headers"] = {"$ref": f"{SCHEMAS}/{properties}.json"}
    return {
        "address": f"{PREFIX}/{{organisation}}/{{gateway}}/{channel}",
        "description": summary,
        "parameters": _PARAMETERS,
        "messages": {_name(channel): message},
    }


def _operation(channel: str) -> Document:
    action, summary, *_ = _CHANNELS[channel]
    name = _name(channel)
    binding: Document = {"qos": 1, "bindingVersion": MQTT_BINDING}
    if action == "send":
        binding["retain"] = channel == "up/status"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "bindings": {"mqtt": binding},
    }
