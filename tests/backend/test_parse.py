"""What a receiver parses, and what it need not parse again."""

from copy import deepcopy
from typing import Any

import pytest

from backend.parse import Parser
from gateway.contract import ContractError

DEVICE = {"resourceType": "Device", "serialNumber": "gw-7f3ak2m9qd"}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}}


def bundle(*resources: Any) -> dict[str, Any]:
    entries = [
        {"resource": each, "request": {"method": "POST", "url": each["resourceType"]}}
        for each in deepcopy(resources)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_a_resource_that_is_not_fhir_is_named_by_its_place_and_every_time() -> None:
    parser, wrong = Parser(), {**OBSERVATION, "status": 1}
    for _ in range(2):
        with pytest.raises(ContractError, match=r"entry\.1\.resource.*status"):
            parser.check(bundle(DEVICE, wrong))


def test_a_bundle_that_is_not_fhir_is_found_out_although_its_resources_are_known() -> None:
    parser = Parser()
    parser.check(bundle(DEVICE))
    wrong = bundle(DEVICE)
    wrong["entry"][0]["request"] = {"method": "POST"}  # without its address
    with pytest.raises(ContractError, match="not FHIR"):
        parser.check(wrong)


def test_one_member_more_and_a_known_resource_is_not_known_any_more() -> None:
    parser = Parser()
    parser.check(bundle(DEVICE))
    with pytest.raises(ContractError, match="not FHIR"):
        parser.check(bundle({**DEVICE, "colour": "red"}))


def test_an_unknown_type_of_resource_is_refused() -> None:
    with pytest.raises(ContractError, match="not FHIR"):
        Parser().check(bundle({"resourceType": "Teapot"}))


def test_no_more_is_remembered_than_was_allowed() -> None:
    parser = Parser(most=3)
    for number in range(10):
        parser.check(bundle(DEVICE, {**OBSERVATION, "id": str(number)}))
    assert len(parser._known) == 3
