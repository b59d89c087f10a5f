"""How measurements and contexts become records: grouped, joined, named once."""

from datetime import timedelta

import pytest

from drivers.api import Code, DecodeError, Frame, Reading, sig_uuid
from drivers.codec import date_time_octets
from drivers.sig_glucose import DRIVER
from drivers.sig_glucose_frames import CONTEXT, MEASUREMENT
from drivers.sig_racp import RACP
from tests.drivers.fakes import NOW, context_frame, glucose_frame

BROKEN = Frame(MEASUREMENT, b"\x02\x01\x00\xff")
BROKEN_CONTEXT = Frame(CONTEXT, b"\x02\x01\x00")
OTHER_BASE = NOW + timedelta(hours=1)


def meals(readings: list[Reading]) -> list[str]:
    return [code.code for each in readings for code in each.codes if code.system == "meal"]


def keys(frames: list[Frame]) -> list[bytes | None]:
    return [DRIVER.key(frames, reading) for reading in DRIVER.decode(frames)]


def test_a_context_joins_its_record() -> None:
    (reading,) = DRIVER.decode([glucose_frame(1), context_frame(1)])
    assert reading.codes == (
        Code("sample-type", "capillary-whole-blood"),
        Code("sample-location", "finger"),
        Code("meal", "fasting"),
    )
    assert len(reading.values) == 1


def test_a_context_that_came_first_joins_all_the_same() -> None:
    assert meals([*DRIVER.decode([context_frame(1), glucose_frame(1)])]) == ["fasting"]


def test_a_context_alone_is_a_reading_without_values_and_without_a_key() -> None:
    frames = [context_frame(9)]
    assert [*DRIVER.decode(frames)] == [Reading(codes=(Code("meal", "fasting"),), sequence=9)]
    assert keys(frames) == [None]


def test_a_later_context_replaces_what_an_earlier_one_said() -> None:
    frames = [glucose_frame(1), context_frame(1, meal=1), context_frame(1, meal=2)]
    assert meals([*DRIVER.decode(frames)]) == ["postprandial"]


def test_a_context_of_another_number_stays_apart() -> None:
    first, second = DRIVER.decode([glucose_frame(1), context_frame(2)])
    assert (first.sequence, second.sequence) == (1, 2)
    assert meals([first]) == []


def test_a_resent_frame_is_the_same_reading() -> None:
    once = [glucose_frame(1), context_frame(1)]
    assert DRIVER.decode(once * 2) == DRIVER.decode(once)


def test_two_records_of_one_number_are_two_readings_with_their_own_contexts() -> None:
    frames = [
        glucose_frame(1),
        context_frame(1, meal=1),
        glucose_frame(1, OTHER_BASE),
        context_frame(1, meal=2),
    ]
    assert meals([*DRIVER.decode(frames)]) == ["preprandial", "postprandial"]
    assert len(set(keys(frames))) == 2


def test_an_amended_record_keeps_its_key_and_its_context() -> None:
    amended = glucose_frame(1, rest=b"\x80\xb0\x11")
    frames = [glucose_frame(1), context_frame(1), amended]
    (reading,) = DRIVER.decode(frames)
    assert reading == DRIVER.decode([amended, context_frame(1)])[0]
    assert keys(frames) == keys([glucose_frame(1)])


def test_what_is_said_again_was_said_last() -> None:
    first, second = context_frame(1, meal=1), context_frame(1, meal=2)
    assert meals([*DRIVER.decode([glucose_frame(1), first, second, first])]) == ["preprandial"]


def test_a_context_said_again_belongs_to_the_record_said_again() -> None:
    old, new = glucose_frame(1), glucose_frame(1, OTHER_BASE)
    meal = [context_frame(1, meal=number) for number in range(1, 4)]
    frames = [old, meal[0], new, meal[1], old, meal[2]]
    assert meals([*DRIVER.decode(frames)]) == ["fasting", "postprandial"]


def test_the_key_is_characteristic_sequence_and_base_time_whatever_the_offset() -> None:
    moved = Frame(MEASUREMENT, b"\x01\x01\x00" + date_time_octets(NOW) + b"\x3c\x00")
    expected = MEASUREMENT.bytes + b"\x01\x00" + date_time_octets(NOW)
    assert keys([moved]) == keys([glucose_frame(1)]) == [expected]


def test_the_key_does_not_change_when_the_context_arrives() -> None:
    assert keys([glucose_frame(1)]) == keys([glucose_frame(1), context_frame(1)])


def test_frames_are_grouped_by_number_in_the_order_they_came() -> None:
    one, two, late = glucose_frame(1), glucose_frame(2), context_frame(1)
    assert DRIVER.group([one, two, late]) == [[one, late], [two]]


def test_a_frame_that_does_not_decode_is_alone_and_spoils_no_record() -> None:
    frames = [glucose_frame(1), BROKEN_CONTEXT, context_frame(1), BROKEN]
    assert DRIVER.group(frames) == [
        [glucose_frame(1), context_frame(1)],
        [BROKEN_CONTEXT],
        [BROKEN],
    ]


def test_frames_of_one_number_find_each_other_on_disk() -> None:
    assert DRIVER.join(glucose_frame(513)) == DRIVER.join(context_frame(513)) == b"\x01\x02"


@pytest.mark.parametrize(
    "frame",
    [BROKEN, BROKEN_CONTEXT, Frame(MEASUREMENT, b""), Frame(RACP, bytes((6, 0, 1, 1)))],
    ids=["measurement", "context", "empty", "control point"],
)
def test_what_is_no_record_joins_nothing(frame: Frame) -> None:
    assert DRIVER.join(frame) is None


def test_the_control_point_is_never_a_record() -> None:
    assert keys([Frame(RACP, bytes((6, 0, 1, 1)))]) == [None]


def test_a_characteristic_of_another_service_is_refused() -> None:
    with pytest.raises(DecodeError, match="none that this driver reads"):
        DRIVER.decode([Frame(sig_uuid(0x2A35), bytes(7))])
