"""What docs/contract/ publishes is what this version sends and reads."""

import json

import pytest

from gateway.contract import Topics
from gateway.contract.asyncapi import asyncapi
from gateway.contract.schema import schemas
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


def test_the_page_names_every_user_property() -> None:
    page = (DIRECTORY / "README.md").read_text()
    properties = dict(examples.publications()["observation"].properties)
    assert [name for name in properties if f"`{name}`" not in page] == []
