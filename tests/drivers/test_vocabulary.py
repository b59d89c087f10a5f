"""docs/vocabulary.md says what the code says: every list, and nothing else."""

import json
import re
from pathlib import Path

import pytest

from drivers import sig_racp
from drivers.api import Absent, Kind
from drivers.codec import FLOAT_SPECIALS, SFLOAT_SPECIALS
from drivers.describe import decode_json
from drivers.registry import all_drivers
from tests.drivers.vectors import cases

PAGE = (Path(__file__).parents[2] / "docs" / "vocabulary.md").read_text(encoding="utf-8")
NAME = re.compile(r"`([^`]+)`")


def rows(*headings: str) -> list[list[str]]:
    """The cells of the table under the last of *headings*, each sought after the one before."""
    text = PAGE
    for heading in headings:
        text = re.split(rf"^#+ {re.escape(heading)}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    table = re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return NAME.findall(cell)


def test_every_kind_is_listed() -> None:
    assert [names(row[0])[0] for row in rows("Kinds and units")] == [kind.value for kind in Kind]


def test_every_reason_for_absence_is_listed_with_its_words() -> None:
    listed = {names(row[0])[0]: row[1:3] for row in rows("Absent")}
    expected = {absent.value: ["", ""] for absent in Absent}
    expected |= {
        absent.value: [f"0x{short:04X}", f"0x{long:08X}"]
        for short, absent in SFLOAT_SPECIALS.items()
        for long, same in FLOAT_SPECIALS.items()
        if same is absent
    }
    assert listed == expected


@pytest.mark.parametrize("name", [n for n, driver in all_drivers().items() if driver.flags])
def test_every_flag_of_a_driver_is_listed(name: str) -> None:
    listed = [names(row[0])[0] for row in rows("Flags", name)]
    assert sorted(listed) == sorted(all_drivers()[name].flags)


@pytest.mark.parametrize("name", [n for n, driver in all_drivers().items() if driver.codes])
def test_every_code_of_a_driver_is_listed(name: str) -> None:
    listed = {names(row[0])[0]: tuple(names(row[1])) for row in rows("Codes", name)}
    assert listed == dict(all_drivers()[name].codes)


def test_every_code_of_the_control_point_is_listed() -> None:
    table = rows("Codes", "Record Access Control Point (2A52)")
    listed = {names(row[0])[0]: names(row[1]) for row in table}
    expected = {system: list(known.values()) for system, known in sig_racp.NAMED.items()}
    expected |= {system: [] for system in sig_racp.OPEN}
    assert listed == {**expected, "request-op-code": ["op-code"]}


def test_every_unit_that_a_recorded_frame_shows_is_listed_for_its_kind() -> None:
    listed = {names(row[0])[0]: set(names(row[1])) for row in rows("Kinds and units")}
    for name in all_drivers():
        read = (case for case in cases(name) if "expected" in case and "options" not in case)
        for case in read:
            values = decode_json(case["characteristic"], case["hex"])["values"]
            assert isinstance(values, list)
            for value in values:
                assert value["unit"] in listed[value["kind"]]


def test_the_example_is_what_is_printed() -> None:
    command = re.search(r'hjemgate decode (\S+) "([^"]+)"', PAGE)
    shown = re.search(r"```json\n(.+?)```", PAGE, re.DOTALL)
    assert command
    assert shown
    assert json.loads(shown[1]) == decode_json(command[1], command[2])
