"""The contract as an AsyncAPI 3 document; written by `python -m gateway.contract`.

The application that it describes is the gateway: what the gateway sends, a receiver receives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.contract.publication import FHIR, JSON
from gateway.contract.topics import PREFIX

Document = dict[str, Any]

ASYNCAPI = "3.0.0"
VERSION = "1.0.0"  # of the contract: the first number stands in the topics
MQTT_BINDING = "0.2.0"

SCHEMAS = "./schema"


@dataclass(frozen=True, slots=True)
class _Message:
    """*body* and *properties*: names of their schemas."""

    summary: str
    content_type: str
    body: str
    properties: str | None = None
    correlated: bool = False


@dataclass(frozen=True, slots=True)
class _Channel:
    """*action*: what the gateway does."""

    action: str
    messages: Mapping[str, _Message]
    retained: bool = False
    expiry: Document | None = None
    reply: str | None = None


_BUNDLES = "observation-properties"  # what travels beside them


def _address(channel: str) -> str:
    return f"{PREFIX}/{{organisation}}/{{gateway}}/{channel}"


_CHANNELS = {
    "up/observation": _Channel(
        "send",
        {
            "observation": _Message(
                "One reading: a FHIR R4 transaction Bundle, at least once, in CloudEvents' binary"
                " mode.",
                FHIR,
                "observation",
                _BUNDLES,
            ),
            "device": _Message(
                "A meter or the gateway itself, as it is now: a FHIR R4 transaction Bundle that"
                " updates its Device. `type` is `hjemgate.device.1`.",
                FHIR,
                "device",
                _BUNDLES,
            ),
        },
        expiry={
            "type": "integer",
            "minimum": 1,
            "description": "No longer than until it is sent again: 600 s after the first time,"
            " then ever longer, up to 21600 s; or as the gateway is configured.",
        },
    ),
    "up/status": _Channel(
        "send",
        {
            "status": _Message(
                "What is known of the gateway's health; retained. The will says that it is away.",
                JSON,
                "status",
            )
        },
        retained=True,
    ),
    "up/reply": _Channel(
        "send",
        {"reply": _Message("The answer to a command.", JSON, "reply", correlated=True)},
    ),
    "down/receipt": _Channel(
        "receive",
        {
            "receipt": _Message(
                "A receiver's word on messages of `up/observation`. `stored` or `duplicate` ends"
                " the gateway's duty.",
                JSON,
                "receipt",
            )
        },
    ),
    "down/command": _Channel(
        "receive",
        {
            "command": _Message(
                "A command, signed by the fleet's key.", JSON, "command", correlated=True
            )
        },
        reply="up/reply",
    ),
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

_WILL: Document = {
    "topic": _address("up/status"),
    "qos": 1,
    "retain": True,
    "message": "The status with `online` false (examples/status-offline.json), published by the"
    " broker when the gateway has been away for 120 seconds (Will Delay Interval).",
}

_CORRELATION: Document = {
    "type": "string",
    "description": "Correlation Data: any octets, chosen by whoever commands; copied into the"
    " reply, and left out there where the command had none.",
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
                        "clientId": "{gateway}",
                        "cleanSession": False,
                        "sessionExpiryInterval": 7 * 86400,
                        "keepAlive": 300,
                        "maximumPacketSize": 131072,
                        "lastWill": _WILL,
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
    messages = _CHANNELS[channel].messages
    return {
        "address": _address(channel),
        "description": _summary(channel),
        "parameters": _PARAMETERS,
        "messages": {name: _message(name, message) for name, message in messages.items()},
    }


def _message(name: str, message: _Message) -> Document:
    binding: Document = {"payloadFormatIndicator": 1, "bindingVersion": MQTT_BINDING}
    document: Document = {
        "name": name,
        "summary": message.summary,
        "contentType": message.content_type,
        "payload": {"$ref": f"{SCHEMAS}/{message.body}.json"},
        "bindings": {"mqtt": binding},
    }
    if message.correlated:
        binding["correlationData"] = _CORRELATION
        document["correlationId"] = {
            "description": "The command's `id`, and the reply's.",
            "location": "$message.payload#/id",
        }
    if message.properties is not None:
        document["headers"] = {"$ref": f"{SCHEMAS}/{message.properties}.json"}
    return document


def _operation(channel: str) -> Document:
    told = _CHANNELS[channel]
    binding: Document = {"qos": 1, "retain": told.retained, "bindingVersion": MQTT_BINDING}
    if told.expiry is not None:
        binding["messageExpiryInterval"] = told.expiry
    operation: Document = {
        "action": told.action,
        "summary": _summary(channel),
        **_references(channel),
        "bindings": {"mqtt": binding},
    }
    if told.reply is not None:
        operation["reply"] = _references(told.reply)
    return operation


def _references(channel: str) -> Document:
    name, messages = _name(channel), _CHANNELS[channel].messages
    return {
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in messages],
    }


def _summary(channel: str) -> str:
    return " ".join(message.summary for message in _CHANNELS[channel].messages.values())
