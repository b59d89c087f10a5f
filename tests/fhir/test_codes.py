"""The table of codes: every row has its source, and says what others say as well."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest

from drivers.registry import all_drivers
from gateway.fhir.codes import CODES, CODINGS, MDC, OTHERS, SYSTEMS, UNITS
from gateway.fhir.context import TOPICS
from tests.conformance.terminology import concepts
from tests.conformance.validator import Unavailable, packages

TEXT = files("gateway.fhir").joinpath("codes.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TEXT.splitlines()))
PAGE = Path(__file__).parent.parent.parent / "docs" / "fhir.md"
DOUBTED = {"meal/bedtime"}  # published tables disagree on its number


def ids(row: dict[str, str]) -> str:
    return f"{row['of']}-{row['system']}"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_every_row_has_a_source_that_the_page_explains(row: dict[str, str]) -> None:
    explained = PAGE.read_text(encoding="utf-8")
    assert row["source"].split()
    assert [word for word in row["source"].split() if f"| {word} |" not in explained] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row["system"] not in OTHERS], ids=ids)
def test_every_code_is_in_the_table_that_was_made_apart(row: dict[str, str]) -> None:
    for system in (MDC,) if row["system"] == "mdc" else SYSTEMS[row["system"]]:
        assert row["code"] in concepts()[system]
        if row["name"]:
            assert concepts()[system][row["code"]] == row["name"]


def test_every_code_of_the_guides_own_lists_is_as_the_guide_has_it() -> None:
    try:
        guide = packages() / "phd-2.0.0"
    except Unavailable as lack:
        pytest.skip(f"held by ./dev conformance as well: {lack}")
    lists = {}
    for path in guide.glob("CodeSystem-*.json"):
        listed = json.loads(path.read_text(encoding="utf-8"))
        for each in listed["concept"]:
            lists[listed["url"], each["code"]] = each["display"]
    for coding in CODINGS.values():
        assert lists[coding["system"], coding["code"]] == coding["display"]
    interfaces = {(OTHERS["continua"], of.split("/")[1]) for of in CODINGS if "interface/" in of}
    assert interfaces == {of for of in lists if of[0] == OTHERS["continua"]}


def test_no_meaning_is_given_twice_and_every_unit_is_known() -> None:
    meanings = [row["of"] for row in ROWS if row["system"] in ("mdc", *OTHERS)]
    assert len(meanings) == len(set(meanings)) == len(CODES) + len(CODINGS)
    assert {unit for row in ROWS for unit in row["units"].split()} <= set(UNITS)


def test_every_answer_that_a_driver_may_give_is_coded_but_for_what_is_in_doubt() -> None:
    answers = {
        f"{system}/{answer}"
        for driver in all_drivers().values()
        for system in TOPICS
        for answer in driver.codes.get(system, ())
        if answer not in ("not-available", "control-solution")
    }
    assert {of for of in answers if of not in CODES} == DOUBTED
