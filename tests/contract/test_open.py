"""What the schemas allow and refuse: what version 1 may add, and what the code takes for wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway import contract
from gateway.contract import ContractError
from gateway.fhir import announcement, device, render
from tests.contract import examples
from tests.contract.published import objections, violations
from tests.fhir import records

MESSAGES = examples.publications()
READING = MESSAGES["observation"]
PROPERTIES = dict(READING.properties)

# Name of the user property, its text: taken by the code, and allowed by the schema.
TAKEN = [
    ("seq", "1"),
    ("seq", "9223372036854775807"),
    ("seq", "8999999999999999999"),
    ("version", "1"),
    ("version", "2147483647"),
    ("version", "1999999999"),
    ("late", "true"),
    ("time", "2026-11-22T07:30:20Z"),
    ("time", "2026-11-22T08:30:20.250+01:00"),
    ("epoch", "e"),
    ("epoch", "e" * 64),
    ("type", "hjemgate.device.1"),
]

REFUSED = [
    ("seq", "0"),
    ("seq", "-1"),
    ("seq", "01"),
    ("seq", "+1"),
    ("seq", "1_0"),
    ("seq", "1.0"),
    ("seq", " 1"),
    ("seq", "9223372036854775808"),
    ("seq", "10000000000000000000"),
    ("version", "0"),
    ("version", "2147483648"),
    ("version", "10000000000"),
    ("late", "yes"),
    ("late", "True"),
    ("time", "yesterday"),
    ("time", "1795332620"),
    ("time", "2026-11-22"),
    ("time", "2026-11-22T07:30Z"),
    ("time", "2026-11-22T07:30:20"),
    ("epoch", ""),
    ("epoch", "e" * 65),
    ("id", "5f0c3b57"),
    ("id", "5F0C3B57-53A1-4B0E-8A93-6D6F2F6F6C11"),
    ("id", "5f0c3b5753a14b0e8a936d6f2f6f6c11"),
    ("source", "/hjemgate/1/org1/gateway"),
    ("sha256", "A" * 64),
    ("specversion", "1.1"),
    ("type", "hjemgate.observation.2"),
]


@pytest.mark.parametrize(("name", "text"), TAKEN)
def test_what_the_schema_of_the_properties_allows_is_read(name: str, text: str) -> None:
    pairs = {**PROPERTIES, name: text}
    assert dict(contract.parse_properties(pairs.items()).pairs()).keys() == PROPERTIES.keys()
    assert said_of_properties(pairs) == []


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_the_schema_of_the_properties_forbids_is_an_error(name: str, text: str) -> None:
    pairs = {**PROPERTIES, name: text}
    assert said_of_properties(pairs) != []
    with pytest.raises(ContractError, match=name):
        contract.parse_properties(pairs.items())


@pytest.mark.parametrize("name", sorted(PROPERTIES.keys() - {"time"}))
def test_every_property_but_the_time_must_be_there(name: str) -> None:
    pairs = {key: value for key, value in PROPERTIES.items() if key != name}
    assert said_of_properties(pairs) != []
    with pytest.raises(ContractError, match=name):
        contract.parse_properties(pairs.items())


def said_of_properties(pairs: dict[str, str]) -> list[str]:
    said = objections(READING.topic, READING.body, pairs.items())
    return [each for each in said if each.startswith("observation-properties")]


def body(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(MESSAGES[name].body)
    return document


def said(name: str, document: object, *more: tuple[str, str]) -> list[str]:
    """By the published schemas."""
    message = MESSAGES[name]
    octets = json.dumps(document).encode()
    return objections(message.topic, octets, (*message.properties, *more))


def said_of_ours(name: str, document: object, *more: tuple[str, str]) -> list[str]:
    """By the strict ones."""
    message = MESSAGES[name]
    octets = json.dumps(document).encode()
    return violations(message.topic, octets, (*message.properties, *more))


def with_a_resource_of_another_kind(document: dict[str, Any]) -> None:
    resource = {"resourceType": "Provenance", "target": [{"reference": "urn:uuid:1"}]}
    entry = {**document["entry"][0], "resource": resource}
    document["entry"].append({**entry, "request": {"method": "POST", "url": "Provenance"}})


def with_more_in_the_bundle(document: dict[str, Any]) -> None:
    document["link"] = [{"relation": "self", "url": "urn:uuid:1"}]


def with_more(document: dict[str, Any]) -> None:
    document["more"] = [1]


def with_more_inside(document: dict[str, Any]) -> None:
    document["clock"]["stratum"] = 2


def with_another_counter(document: dict[str, Any]) -> None:
    document["counters"]["something new"] = 1


def with_more_in_a_receipt(document: dict[str, Any]) -> None:
    document["receipts"][0]["more"] = 1


def with_more_in_the_result(document: dict[str, Any]) -> None:
    document["result"]["elsewhere"] = []


def with_the_result_of_another_command(document: dict[str, Any]) -> None:
    document["result"] = {"paired": True}


def with_another_command(document: dict[str, Any]) -> None:
    document.update(command="pairing-window", arguments={"minutes": 10})


def with_more_arguments(document: dict[str, Any]) -> None:
    document["arguments"]["pace"] = 10


ADDED = [
    ("observation", with_a_resource_of_another_kind),
    ("observation", with_more_in_the_bundle),
    ("device", with_a_resource_of_another_kind),
    ("status-online", with_more),
    ("status-online", with_more_inside),
    ("status-offline", with_more),
    ("receipt", with_more),
    ("receipt", with_more_in_a_receipt),
    ("reply", with_more),
    ("reply", with_more_in_the_result),
    ("reply", with_the_result_of_another_command),
    ("command", with_more),
    ("command", with_more_arguments),
    ("command-withdraw", with_more_arguments),
]


@pytest.mark.parametrize(("name", "add"), ADDED)
def test_what_version_1_may_add_is_no_fault_by_the_published_schemas(
    name: str, add: Callable[[dict[str, Any]], None]
) -> None:
    document = body(name)
    add(document)
    assert said(name, document) == []


@pytest.mark.parametrize(("name", "add"), ADDED)
def test_what_nobody_has_described_is_never_sent_by_us(
    name: str, add: Callable[[dict[str, Any]], None]
) -> None:
    document = body(name)
    assert said_of_ours(name, document) == []
    add(document)
    assert said_of_ours(name, document) != []


@pytest.mark.parametrize("case", records.CASES)
def test_whatever_a_gateway_renders_keeps_to_the_strict_form(case: str) -> None:
    for record in (records.CASES[case], replace(records.CASES[case], simulated=True)):
        assert violations(READING.topic, render(record), READING.properties) == []


def test_a_simulated_device_keeps_to_the_strict_form() -> None:
    resource = device.gateway(records.GATEWAY, simulated=True)
    octets = announcement(examples.COMMAND, 1, resource, examples.NOW, "UTC", simulated=True)
    assert b"HTEST" in octets
    assert violations(READING.topic, octets, MESSAGES["device"].properties) == []


def test_an_unknown_property_is_no_fault_and_never_sent_by_us() -> None:
    document, more = body("observation"), ("traceparent", "00-1")
    assert said("observation", document, more) == []
    assert said_of_ours("observation", document, more) != []


@pytest.mark.parametrize("add", [with_another_counter, with_another_command])
def test_new_words_are_documented_where_they_stand(add: Callable[[dict[str, Any]], None]) -> None:
    name = "command" if add is with_another_command else "status-online"
    document = body(name)
    add(document)
    assert said(name, document) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("command", {}),
        ("command", {"epoch": "e1"}),
        ("command", {"epoch": "e1", "last": 7}),
        ("command", {"epoch": "e1", "first": 0}),
        ("command", {"epoch": "e1", "first": 2**63}),
        ("command", {"epoch": "e1", "first": 1, "since": "2026-11-22T07:30:20Z"}),
        ("command", {"since": "yesterday"}),
        ("command-withdraw", {}),
        ("command-withdraw", {"reading": "r17"}),
        ("command-withdraw", {"reading": str(examples.COMMAND), "undo": "yes"}),
    ],
)
def test_arguments_that_a_gateway_would_not_obey_are_a_fault(
    name: str, arguments: dict[str, Any]
) -> None:
    document = {**body(name), "arguments": arguments}
    assert said(name, document) != []
    parse = contract.replay_arguments if name == "command" else contract.withdraw_arguments
    with pytest.raises(ContractError):
        parse(arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("command", {"epoch": "e1", "first": 1}),
        ("command", {"epoch": "e1", "first": 1, "last": 2**63 - 1}),
        ("command", {"since": "2026-11-22T07:30:20+01:00"}),
        ("command-withdraw", {"reading": str(examples.COMMAND)}),
        ("command-withdraw", {"reading": str(examples.COMMAND), "undo": True}),
    ],
)
def test_arguments_that_a_gateway_obeys_are_none(name: str, arguments: dict[str, Any]) -> None:
    assert said(name, {**body(name), "arguments": arguments}) == []
    parse = contract.replay_arguments if name == "command" else contract.withdraw_arguments
    assert parse(arguments)


MAY_BE_ABSENT = {"reason", "result", "arguments", "devices", "counters", "conditions"}


@pytest.mark.parametrize("name", ["status-online", "status-offline", "reply", "receipt", "command"])
def test_what_is_always_there_stays_there(name: str) -> None:
    for member in body(name).keys() - MAY_BE_ABSENT:
        rest = {key: value for key, value in body(name).items() if key != member}
        assert said(name, rest) != [], member


@pytest.mark.parametrize("name", ["observation", "device"])
def test_a_bundle_without_what_names_it_is_a_fault(name: str) -> None:
    for member in ("resourceType", "type", "identifier", "entry"):
        rest = {key: value for key, value in body(name).items() if key != member}
        assert said(name, rest) != [], member


def test_a_moment_that_is_none_is_a_fault_wherever_it_stands() -> None:
    assert said("receipt", {"receipts": [{**body("receipt")["receipts"][0], "at": "noon"}]}) != []
    assert said("status-online", {**body("status-online"), "at": "2026-11-22"}) != []
