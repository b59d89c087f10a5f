"""Every recorded case of the drivers, one test each."""

from typing import Any

import pytest

from drivers.api import DecodeError, Frame, Reading
from drivers.describe import characteristic_of, decode_json
from drivers.registry import all_drivers
from drivers.sig_blood_pressure import INTERMEDIATE_FLAG
from drivers.sig_glucose_frames import CONTROL
from drivers.sig_racp import NAMED
from tests.drivers.vectors import SILENT, cases, says, status_names

STATUS_KEYS = ("status", "measurement_status", "device_sensor_status")
ALL = [(name, case) for name in all_drivers() for case in cases(name)]
GOOD = [
    (name, case)
    for name, case in ALL
    if "expected" in case and case["characteristic"] != "2A52" and "options" not in case
]
REFUSED = [(name, case) for name, case in ALL if "expected_error" in case]
CONTROL_POINT = [case for case in cases("sig_glucose", "2A52") if "expected" in case]


def ids(pairs: list[Any]) -> list[str]:
    return [case["id"] for _, case in pairs]


def decoded(driver: str, case: Any) -> Reading:
    frame = Frame(characteristic_of(case["characteristic"]), bytes.fromhex(case["hex"]))
    (reading,) = all_drivers()[driver].decode([frame])
    return reading


@pytest.mark.parametrize(("driver", "case"), GOOD, ids=ids(GOOD))
def test_a_recorded_frame_says_what_its_source_says(driver: str, case: Any) -> None:
    reading = decoded(driver, case)
    expected = {k: v for k, v in case["expected"].items() if k not in {*SILENT, *STATUS_KEYS}}
    assert {key: says(reading, key) for key in expected} == expected


@pytest.mark.parametrize(("driver", "case"), GOOD, ids=ids(GOOD))
def test_a_recorded_frame_sets_the_flags_of_its_status_bits(driver: str, case: Any) -> None:
    bits = {key: case["expected"][key] for key in STATUS_KEYS if key in case["expected"]}
    names = [status_names(key, case["characteristic"], bits[key]) for key in bits]
    flags = set(decoded(driver, case).flags) - {INTERMEDIATE_FLAG, CONTROL}
    assert flags == set().union(*names)


@pytest.mark.parametrize(("driver", "case"), GOOD, ids=ids(GOOD))
def test_a_recorded_frame_leaves_nothing_over(driver: str, case: Any) -> None:
    assert decoded(driver, case).trailing == b""


@pytest.mark.parametrize(("driver", "case"), REFUSED, ids=ids(REFUSED))
def test_a_frame_cut_short_is_refused(driver: str, case: Any) -> None:
    with pytest.raises(DecodeError, match=r"need \d+ octets, got \d+"):
        decoded(driver, case)


@pytest.mark.parametrize("case", CONTROL_POINT, ids=[case["id"] for case in CONTROL_POINT])
def test_a_control_point_frame_is_named_part_by_part(case: Any) -> None:
    printed = decode_json("2A52", case["hex"])["codes"]
    assert isinstance(printed, list)
    codes = {code["system"]: code["code"] for code in printed}
    for key, number in case["expected"].items():
        system = key.replace("_", "-")
        named = number if system == "operand" else NAMED[system][number]
        assert codes[system] == named


def test_a_cuff_that_sends_its_user_without_the_flag_is_refused() -> None:
    # Its pulse and its status come the wrong way round as well: read as the profile says, they
    # are 179 million beats a minute and a movement that nobody made.
    (case,) = (case for case in cases("sig_blood_pressure") if "options" in case)
    with pytest.raises(DecodeError, match="need 18 octets, got 19: no flag announces"):
        decoded("sig_blood_pressure", case)


def test_every_driver_has_recorded_octets_of_every_characteristic_that_it_reads() -> None:
    for name, driver in all_drivers().items():
        recorded = {characteristic_of(case["characteristic"]) for case in cases(name)}
        assert recorded == set(driver.readable)
