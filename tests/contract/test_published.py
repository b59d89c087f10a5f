"""What docs/contract/ publishes is what this version sends and reads."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway import contract
from gateway.config import Broker
from gateway.contract import Topics
from gateway.contract.asyncapi import asyncapi
from gateway.contract.schema import schemas
from gateway.fhir import render
from gateway.uplink import packets
from tests.contract import examples
from tests.contract.published import DIRECTORY, EXAMPLES, SCHEMAS, violations

REWRITE = "run: python -m tests.contract.examples"


def test_the_schemas_are_current() -> None:
    written = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    assert written == schemas(), REWRITE


def test_the_asyncapi_document_is_current() -> None:
    assert json.loads((DIRECTORY / "asyncapi.json").read_text()) == asyncapi(), REWRITE


def test_the_asyncapi_document_has_every_topic_and_refers_to_files_that_are_there() -> None:
    document = asyncapi()
    topics = Topics("{organisation}", "{gateway}")
    assert sorted(each["address"] for each in document["channels"].values()) == sorted(
        (topics.observation, topics.status, topics.reply, topics.receipt, topics.command)
    )
    messages = [m for each in document["channels"].values() for m in each["messages"].values()]
    references = [
        each[part]["$ref"] for each in messages for part in ("payload", "headers") if part in each
    ]
    assert set(references) == {f"./schema/{path.name}" for path in SCHEMAS.glob("*.json")}


def test_the_gateway_sends_upwards_and_receives_downwards() -> None:
    document = asyncapi()
    for name, operation in document["operations"].items():
        up = "/up/" in document["channels"][name]["address"]
        assert operation["action"] == ("send" if up else "receive")


def bindings(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = part["bindings"]["mqtt"]
    return found


def test_the_asyncapi_document_tells_of_session_and_will_as_the_gateway_connects() -> None:
    told = bindings(asyncapi()["servers"]["broker"])
    topics = Topics("{organisation}", "{gateway}")
    offline = contract.Offline(at=examples.NOW, gateway=examples.TOPICS.gateway, version="1")
    will = contract.will(topics, offline)
    sent = packets.will(will)
    assert (told["lastWill"]["topic"], told["lastWill"]["qos"]) == (sent.topic, sent.qos)
    assert told["lastWill"]["retain"] is sent.retain is True
    assert f"{packets.WILL_DELAY_S} seconds" in told["lastWill"]["message"]
    assert told["cleanSession"] is False
    assert told["sessionExpiryInterval"] == packets.SESSION_S
    assert told["maximumPacketSize"] == packets.INBOUND_PACKET
    assert told["keepAlive"] == Broker.model_fields["keepalive_s"].default


def test_the_asyncapi_document_tells_which_messages_are_retained_and_which_expire() -> None:
    operations = asyncapi()["operations"]
    for publication in examples.publications().values():
        told = bindings(operations[publication.topic.rpartition("/")[2]])
        assert told["qos"] == 1
        assert told["retain"] is publication.retain
        assert ("messageExpiryInterval" in told) is (publication.expiry_s is not None)


def test_the_asyncapi_document_names_the_pauses_after_which_a_message_expires() -> None:
    said = bindings(asyncapi()["operations"]["observation"])["messageExpiryInterval"]["description"]
    for setting in ("resend_s", "resend_cap_s"):
        assert f"{Broker.model_fields[setting].default:.0f} s" in said


def test_the_asyncapi_document_tells_what_answers_a_command() -> None:
    document = asyncapi()
    reply = document["operations"]["command"]["reply"]
    assert reply["channel"] == {"$ref": "#/channels/reply"}
    assert reply["messages"] == document["operations"]["reply"]["messages"]
    for channel in ("command", "reply"):
        message = document["channels"][channel]["messages"][channel]
        assert message["correlationId"]["location"] == "$message.payload#/id"
        assert "correlationData" in bindings(message)


def test_the_examples_are_current() -> None:
    written = {path.stem: path.read_text() for path in EXAMPLES.glob("*.json")}
    made = {
        name: examples.pretty(examples.as_text(publication))
        for name, publication in examples.publications().items()
    }
    assert written == made, REWRITE


@pytest.mark.parametrize("name", examples.publications())
def test_an_example_keeps_to_its_schema(name: str) -> None:
    publication = examples.publications()[name]
    assert violations(publication.topic, publication.body, publication.properties) == []


def test_a_device_is_held_against_its_own_schema() -> None:
    device, reading = (examples.publications()[name] for name in ("device", "observation"))
    assert violations(device.topic, reading.body, device.properties) != []
    assert violations(device.topic, device.body, reading.properties) != []


@pytest.mark.parametrize("name", ["status-online", "status-offline", "reply"])
def test_an_unknown_member_is_no_part_of_what_we_send(name: str) -> None:
    publication = examples.publications()[name]
    body = json.dumps({**json.loads(publication.body), "more": 1}).encode()
    assert violations(publication.topic, body, ()) != []


def test_the_page_names_every_topic_schema_and_example() -> None:
    page = (DIRECTORY / "README.md").read_text()
    names = [f"schema/{path.name}" for path in SCHEMAS.glob("*.json")]
    names += [f"examples/{path.name}" for path in EXAMPLES.glob("*.json")]
    names += ["asyncapi.json", "consumer.py", "consumer.js"]
    names += ["up/observation", "up/status", "up/reply", "down/receipt", "down/command"]
    assert [name for name in names if name not in page] == []


def test_the_page_quotes_the_note_of_a_reading_that_is_dated_by_its_arrival() -> None:
    page = " ".join((DIRECTORY / "README.md").read_text().split())
    untimed = replace(examples.RECORD, reading=replace(examples.RECORD.reading, taken_at=None))
    (quoted,) = re.findall(r'a note in the Observation says so \("([^"]+)"\)', page)
    assert quoted in render(untimed).decode()
    assert quoted not in render(examples.RECORD).decode()


def test_the_page_names_every_command() -> None:
    page = (DIRECTORY / "README.md").read_text()
    (other,) = (each for each in schemas()["command"]["oneOf"] if "required" not in each)
    known = other["properties"]["command"]["not"]["enum"]
    assert [name for name in known if f"| `{name}` |" not in page] == []


def test_the_page_names_every_user_property() -> None:
    page = (DIRECTORY / "README.md").read_text()
    properties = dict(examples.publications()["observation"].properties)
    assert [name for name in properties if f"`{name}`" not in page] == []
