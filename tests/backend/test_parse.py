"""What a receiver parses, and what it need not parse again."""

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import parse
from backend.parse import Parser
from gateway.contract import ContractError
from tests.backend.parts import message

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


BODIES = [json.loads(message(number).body, parse_float=Decimal) for number in (1, 2)]
ODD = [
    "2027-02-29T08:30:00+01:00",
    "2026-02-28T24:30:00+01:00",
    "2026-02-28T08:30:00+19:00",
    "2026-02-28T08:30:00",
    "2026-02-28",
    "",
    " ",
    "-150020-848651460",
    "x" * 65,
    "'value': 5,",
]
LEAVES = st.one_of(
    st.uuids().map(lambda each: f"urn:uuid:{each}"),
    st.uuids().map(lambda each: f"urn:uuid:{str(each).upper()}"),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.sampled_from(ODD),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.booleans(),
)


def leaves(element: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(element, dict):
        inner = element.items()
    elif isinstance(element, list):
        inner = enumerate(element)
    else:
        yield path
    for name, each in inner:
        yield from leaves(each, (*path, name))


PATHS = [path for path in leaves(BODIES[0]) if path[0] == "entry"]


def verdict(parser: Parser, found: Any) -> str | None:
    try:
        parser.check(found)
    except ContractError as error:
        return str(error)
    return None


def changed(path: tuple[Any, ...], value: Any) -> Any:
    found = deepcopy(BODIES[0])
    *way, last = path
    reduce(getitem, way, found)[last] = value
    return found


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), st.lists(LEAVES, min_size=2, max_size=4))
def test_whoever_remembers_judges_as_one_who_does_not(path: tuple[Any, ...], values: Any) -> None:
    remembers = Parser()
    for body in BODIES:
        remembers.check(body)
    for value in values:
        found = changed(path, value)
        assert verdict(remembers, found) == verdict(Parser(), found)


@pytest.mark.parametrize("value", ODD)
def test_an_odd_moment_is_judged_although_others_are_known(value: str) -> None:
    remembers = Parser()
    remembers.check(BODIES[0])
    for path in PATHS:
        if path[-1] in {"effectiveDateTime", "issued", "valueDateTime"}:
            found = changed(path, value)
            assert verdict(remembers, found) == verdict(Parser(), found)


def test_the_next_reading_of_the_same_form_is_not_parsed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parser = Parser()
    parser.check(BODIES[0])
    monkeypatch.setattr(parse, "_parse", pytest.fail)
    parser.check(BODIES[1])
