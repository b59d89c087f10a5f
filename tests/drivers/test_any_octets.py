"""Whatever a meter sends is a Reading or a DecodeError, for every driver there is."""

import json
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import sig_racp
from drivers.api import DecodeError, Driver, Frame
from drivers.describe import decode_json, describe
from drivers.push import LONGEST
from drivers.registry import all_drivers
from tests.drivers.vectors import cases

DRIVERS = list(all_drivers().values())
PAIRS = [(driver, each) for driver in DRIVERS for each in driver.readable]
IDS = [f"{driver.name}-{each.int >> 96:04X}" for driver, each in PAIRS]


def octets(driver: Driver) -> st.SearchStrategy[bytes]:
    """Noise, and recorded frames with a piece cut off, put on, or changed."""
    recorded = st.sampled_from([bytes.fromhex(case["hex"]) for case in cases(driver.name)])
    edited = st.builds(
        lambda frame, at, piece: frame[: at % (len(frame) + 1)] + piece,
        recorded,
        st.integers(0, 40),
        st.binary(max_size=6),
    )
    return st.one_of(st.binary(max_size=40), recorded, edited)


def frames(driver: Driver) -> st.SearchStrategy[list[Frame]]:
    one = st.builds(Frame, st.sampled_from(driver.readable), octets(driver))
    return st.lists(one, max_size=8)


def judge(driver: Driver, group: Sequence[Frame]) -> None:
    """Everything that is done with a group, and what must hold of its readings."""
    with suppress(DecodeError):
        for reading in driver.decode(group):
            assert json.dumps(describe(driver.name, reading))
            assert reading.flags == tuple(dict.fromkeys(reading.flags))
            assert set(reading.flags) <= set(driver.flags)
            for system, code in reading.codes:
                known = driver.codes.get(system)
                assert system in (*sig_racp.NAMED, *sig_racp.OPEN) if known is None else True
                assert known is None or code in known or code.startswith("reserved-")
            for value in reading.values:
                assert (value.number is None) is (value.absent is not None)
            assert (reading.taken_at is None) or not reading.taken_at_raw
            key = driver.key(group, reading)
            assert key is None or key.startswith(tuple(each.bytes for each in driver.data))


@pytest.mark.parametrize(("driver", "characteristic"), PAIRS, ids=IDS)
@given(data=st.data())
def test_any_octets_are_a_reading_or_refused(
    driver: Driver, characteristic: object, data: st.DataObject
) -> None:
    assert isinstance(characteristic, type(driver.service))
    judge(driver, [Frame(characteristic, data.draw(octets(driver)))])


@pytest.mark.parametrize("driver", DRIVERS, ids=[driver.name for driver in DRIVERS])
@given(data=st.data())
def test_any_frames_are_grouped_without_losing_one_and_read(
    driver: Driver, data: st.DataObject
) -> None:
    drawn = data.draw(frames(driver))
    groups = driver.group(drawn)
    assert sorted(frame for group in groups for frame in group) == sorted(drawn)
    for group in groups:
        judge(driver, group)
        assert len({driver.join(frame) for frame in group}) == 1


@given(st.sampled_from(["SFLOAT", "float", "2A18", "0000", "nonsense"]), st.text(max_size=20))
def test_any_question_is_answered_or_refused_in_one_line(name: str, hex_text: str) -> None:
    said = answer(name, hex_text)
    assert said
    assert len(said.splitlines()) == 1


def answer(name: str, hex_text: str) -> str:
    try:
        return json.dumps(decode_json(name, hex_text))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(("driver", "characteristic"), PAIRS, ids=IDS)
def test_a_frame_that_is_absurdly_long_is_refused(driver: Driver, characteristic: UUID) -> None:
    for zeros in (LONGEST + 1, 512):
        with pytest.raises(DecodeError, match=f"at most {LONGEST} octets, got {zeros}"):
            driver.decode([Frame(characteristic, bytes(zeros))])
