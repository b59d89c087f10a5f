"""`hjemgate decode`: one JSON object, or one line and 65."""

import json

import pytest

from gateway.cli import main

# Made for this page: systolic 121, diastolic 81, mean NaN, pulse 72, user 1, irregular pulse.
CUFF = "1e 7900 5100 ff07 ea070b16081e00 4800 01 0400"


@pytest.mark.parametrize("words", [[CUFF], CUFF.split(), [CUFF.replace(" ", "").upper()]])
def test_octets_become_one_json_object(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "2A35", *words]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert json.loads(told.out) == {
        "driver": "sig_blood_pressure",
        "values": [
            {"kind": "systolic", "number": "121", "unit": "mm[Hg]"},
            {"kind": "diastolic", "number": "81", "unit": "mm[Hg]"},
            {
                "kind": "mean-pressure",
                "number": None,
                "unit": "mm[Hg]",
                "absent": "not-a-number",
            },
            {"kind": "pulse-rate", "number": "72", "unit": "/min"},
        ],
        "taken_at": "2026-11-22T08:30:00",
        "flags": ["irregular-pulse"],
        "codes": [],
        "sequence": None,
        "user": 1,
        "trailing": "",
    }


def test_json_may_be_asked_for_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--json", "SFLOAT", "1400"]) == 0
    assert json.loads(capsys.readouterr().out) == {"number": "20", "absent": None}


@pytest.mark.parametrize("octets", ["", "1e", "1e7900", "00 79"])
def test_refused_octets_are_one_line_and_65(
    octets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "2A35", octets]) == 65
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("hjemgate: refused: ")


@pytest.mark.parametrize(
    ("characteristic", "octets"),
    [("2A35", "1"), ("2A35", "xy"), ("pressure", "00"), ("FFFF", "00")],
)
def test_a_question_without_sense_is_64(
    characteristic: str, octets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", characteristic, octets]) == 64
    assert len(capsys.readouterr().err.splitlines()) == 1
