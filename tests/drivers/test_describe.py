"""The JSON object that `hjemgate decode` prints."""

import pytest

from drivers.api import DecodeError, sig_uuid
from drivers.describe import RequestError, decode_json

CUFF = "1e 7900 5100 ff07 ea070b16081e00 4800 01 0400"


def test_a_cuff_reading_is_printed_whole() -> None:
    assert decode_json("2A35", CUFF) == {
        "driver": "sig_blood_pressure",
        "values": [
            {"kind": "systolic", "number": "121", "unit": "mm[Hg]"},
            {"kind": "diastolic", "number": "81", "unit": "mm[Hg]"},
            {"kind": "mean-pressure", "number": None, "unit": "mm[Hg]", "absent": "not-a-number"},
            {"kind": "pulse-rate", "number": "72", "unit": "/min"},
        ],
        "taken_at": "2026-11-22T08:30:00",
        "flags": ["irregular-pulse"],
        "codes": [],
        "sequence": None,
        "user": 1,
        "trailing": "",
    }


def test_what_a_frame_does_not_carry_is_null_or_empty() -> None:
    assert decode_json("2A34", "00 0600") == {
        "driver": "sig_glucose",
        "values": [],
        "taken_at": None,
        "flags": [],
        "codes": [],
        "sequence": 6,
        "user": None,
        "trailing": "",
    }


def test_an_impossible_stamp_is_printed_as_its_octets() -> None:
    printed = decode_json("2A9D", "82 803e e707021d0a0000 beef")
    assert (printed["taken_at"], printed["taken_at_raw"]) == (None, "e707021d0a0000")
    assert printed["trailing"] == "beef"


@pytest.mark.parametrize(
    ("octets", "codes"),
    [
        ("0101", ["report-stored-records", "all-records", ""]),
        (
            "0103010a00",
            [
                "report-stored-records",
                "greater-than-or-equal-to",
                "010a00",
                "sequence-number",
                "10",
            ],
        ),
        (
            "0104 01 0a000000 0b000000",
            [
                "report-stored-records",
                "within-range-of",
                "010a0000000b000000",
                "sequence-number",
                "10",
                "11",
            ],
        ),
        (
            "0402 02 e80701050c0000",
            [
                "report-number-of-stored-records",
                "less-than-or-equal-to",
                "02e80701050c0000",
                "user-facing-time",
                "2024-01-05T12:00:00",
            ],
        ),
        (
            "0103 01",
            ["report-stored-records", "greater-than-or-equal-to", "01", "sequence-number"],
        ),
        ("0500 2c01", ["number-of-stored-records-response", "null", "2c01", "300"]),
        ("0800 00000100", ["combined-report-response", "null", "00000100", "65536"]),
        ("0300", ["abort-operation", "null", ""]),
        ("1104", ["reserved-17", "within-range-of", ""]),
    ],
)
def test_a_control_point_frame_is_printed_as_codes(octets: str, codes: list[str]) -> None:
    printed = decode_json("2A52", octets)["codes"]
    assert isinstance(printed, list)
    assert [each["code"] for each in printed] == codes


@pytest.mark.parametrize(
    ("name", "octets", "number", "absent"),
    [
        ("SFLOAT", "ff17", "20470", None),
        ("sfloat", "ff07", None, "not-a-number"),
        ("FLOAT", "6E0100FF", "36.6", None),
        ("FLOAT", "02008000", None, "negative-infinity"),
    ],
)
def test_bare_floats_are_printed(
    name: str, octets: str, number: str | None, absent: str | None
) -> None:
    assert decode_json(name, octets) == {"number": number, "absent": absent}


@pytest.mark.parametrize("name", ["2a35", "0x2A35", " 2A35", str(sig_uuid(0x2A35)).upper()])
def test_a_characteristic_is_named_short_or_in_full(name: str) -> None:
    assert decode_json(name, CUFF.replace(" ", "").upper()) == decode_json("2A35", CUFF)


@pytest.mark.parametrize(
    ("name", "octets", "message"),
    [
        ("2A35", "0079", "^need 3 octets, got 2$"),
        ("2A35", "", "^need 1 octets, got 0$"),
        ("SFLOAT", "000000", "^SFLOAT has 2 octets, got 3$"),
        ("FLOAT", "0000", "^need 4 octets, got 2$"),
    ],
)
def test_octets_that_do_not_decode_are_refused(name: str, octets: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode_json(name, octets)


@pytest.mark.parametrize(
    ("name", "octets", "message"),
    [
        ("2A37", "0048", "no driver reads characteristic 2A37; known are 2A18"),
        ("2A3", "0048", "write four hex digits"),
        ("blood", "0048", "write four hex digits"),
        ("2A35", "00 7", "two for each"),
        ("2A35", "00 zz", "must be hex digits"),
    ],
)
def test_a_question_that_makes_no_sense_is_explained(name: str, octets: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        decode_json(name, octets)
