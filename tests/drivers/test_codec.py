"""Numbers, dates and checks, exactly."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Absent, DecodeError
from drivers.codec import (
    FLOAT_SPECIALS,
    SFLOAT_SPECIALS,
    Reader,
    crc16,
    date_time,
    date_time_octets,
    float32,
    plain,
    sfloat,
)
from drivers.common import clock_time
from tests.drivers.vectors import SPECIALS, cases

FLOATS = cases("codec", "SFLOAT", "FLOAT")
CRCS = cases("codec", "CRC16")
CLOCKS = cases("codec", "2A08", "2A2B")


def ids(vectors: list[Any]) -> list[str]:
    return [case["id"] for case in vectors]


@pytest.mark.parametrize("case", FLOATS, ids=ids(FLOATS))
def test_a_recorded_float_has_its_value_and_precision(case: Any) -> None:
    reader = Reader(bytes.fromhex(case["hex"]))
    number = reader.sfloat() if case["characteristic"] == "SFLOAT" else reader.float32()
    said = SPECIALS[number.absent] if number.absent else plain(number.number or Decimal(0))
    assert said == case["expected"]["value"]


@pytest.mark.parametrize("case", CRCS, ids=ids(CRCS))
def test_a_recorded_crc_comes_out_the_same(case: Any) -> None:
    assert crc16(bytes.fromhex(case["hex"])) == case["expected"]["crc"]


@pytest.mark.parametrize("case", CLOCKS, ids=ids(CLOCKS))
def test_a_recorded_clock_shows_its_time_or_none(case: Any) -> None:
    at = clock_time(bytes.fromhex(case["hex"]))
    assert (at and at.replace(microsecond=0).isoformat()) == case["expected"]["time"]


@pytest.mark.parametrize("case", CLOCKS, ids=ids(CLOCKS))
def test_a_clock_that_shows_no_time_keeps_its_octets(case: Any) -> None:
    stamp = date_time(bytes.fromhex(case["hex"])[:7])
    year, rest = stamp.raw[:2], stamp.raw[2:]
    parts = [int.from_bytes(year, "little"), *rest] if stamp.raw else None
    assert parts == case["expected"].get("time_raw")


def encoded(number: Decimal, exponent_bits: int, mantissa_bits: int) -> int:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    low = mantissa & (1 << mantissa_bits) - 1
    return (exponent & (1 << exponent_bits) - 1) << mantissa_bits | low


def test_every_sfloat_that_is_a_number_comes_back_as_its_own_word() -> None:
    for word in range(0x10000):
        number, absent = sfloat(word)
        if word in SFLOAT_SPECIALS:
            assert (number, absent) == (None, SFLOAT_SPECIALS[word])
        else:
            assert number is not None
            assert encoded(number, 4, 12) == word


@given(st.integers(0, 0xFFFFFFFF))
def test_every_float_that_is_a_number_comes_back_as_its_own_word(word: int) -> None:
    number, absent = float32(word)
    assert (number is None) == (word in FLOAT_SPECIALS) == (absent is not None)
    if number is not None:
        assert encoded(number, 8, 24) == word


@pytest.mark.parametrize(
    ("word", "absent"),
    [
        (0x007FFFFE, Absent.POSITIVE_INFINITY),
        (0x007FFFFF, Absent.NOT_A_NUMBER),
        (0x00800000, Absent.NOT_AT_THIS_RESOLUTION),
        (0x00800001, Absent.RESERVED),
        (0x00800002, Absent.NEGATIVE_INFINITY),
    ],
)
def test_a_special_is_the_whole_word_and_nothing_less(word: int, absent: Absent) -> None:
    assert float32(word).absent is absent
    assert float32(word | 0x01000000).number is not None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("2047E1", "20470"),
        ("0.00119", "0.00119"),
        ("117.920", "117.920"),
        ("2.00", "2.00"),
        ("-1E-15", "-0.000000000000001"),
        ("0E3", "0"),
        ("0E-2", "0.00"),
        ("-5E2", "-500"),
    ],
)
def test_numbers_print_plainly_and_as_precise_as_they_came(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@given(st.integers(0, 0xFFFFFFFF))
def test_plain_notation_has_no_exponent_and_no_other_value(word: int) -> None:
    number = float32(word).number
    if number is not None:
        assert set(plain(number)) <= set("-.0123456789")
        assert Decimal(plain(number)) == number


def test_the_reader_reads_every_width_little_endian() -> None:
    reader = Reader(bytes(range(1, 17)) + b"\xff\xfe\xff\x01")
    assert (reader.u8(), reader.u16(), reader.u24()) == (0x01, 0x0302, 0x060504)
    assert (reader.u32(), reader.u48()) == (0x0A090807, 0x100F0E0D0C0B)
    assert (reader.s8(), reader.s16(), reader.rest()) == (-1, -2, b"\x01")


def test_the_reader_says_what_it_needed_and_what_it_got() -> None:
    reader = Reader(bytes(4))
    reader.u8()
    with pytest.raises(DecodeError, match=r"^need 5 octets, got 4$"):
        reader.u32()


@given(st.datetimes(datetime.fromisoformat("1582-01-01")))
def test_a_date_written_is_the_date_read(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    assert date_time(date_time_octets(whole)) == (whole, b"")


@pytest.mark.parametrize("octets", ["2d060101000000", "10270101000000", "e8070101180000"])
def test_a_year_or_an_hour_out_of_range_is_no_time(octets: str) -> None:
    assert date_time(bytes.fromhex(octets)) == (None, bytes.fromhex(octets))


@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_a_date_or_kept(octets: bytes) -> None:
    at, raw = date_time(octets)
    assert raw == (octets if at is None else b"")
