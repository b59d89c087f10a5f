"""How meters are read that send by themselves: subscribe, listen, set the clock, battery."""

from datetime import timedelta

import pytest

from drivers.api import Driver, Frame, LinkError
from drivers.common import BATTERY_LEVEL, CURRENT_TIME, DATE_TIME, clock_octets
from drivers.push import listen
from drivers.registry import all_drivers
from drivers.sig_blood_pressure import DRIVER, MEASUREMENT
from tests.drivers.fakes import NOW, FakeSession, with_clock

RECORD = Frame(MEASUREMENT, bytes.fromhex("00790051005d00"))
SLOW_CLOCK = NOW - timedelta(minutes=6)
SET_TO_NOW = "write 2A2B ea070b16081e00070001"
PUSH = [driver for driver in all_drivers().values() if not driver.numbered]


async def test_a_cuff_is_heard_out_before_its_clock_is_set() -> None:
    session = FakeSession({BATTERY_LEVEL: b"\x4b"}, [RECORD, RECORD])
    with_clock(session, SLOW_CLOCK)
    await DRIVER.converse(session)
    assert session.log == [
        "subscribe 2A35",
        "read 2A2B",
        "listen 5",
        SET_TO_NOW,
        "read 2A2B",
        "read 2A19",
    ]
    assert session.recorded == [("clock-read", SLOW_CLOCK), ("clock-set", NOW), ("battery", 75)]
    assert not session.queue


@pytest.mark.parametrize("driver", PUSH, ids=[driver.name for driver in PUSH])
async def test_every_push_meter_is_asked_for_exactly_the_frames_that_are_kept(
    driver: Driver,
) -> None:
    session = FakeSession()
    await driver.converse(session)
    asked = [line.removeprefix("subscribe ") for line in session.log if "subscribe" in line]
    assert asked == [f"{each.int >> 96:04X}" for each in driver.data]


async def test_a_meter_that_hangs_up_after_its_record_is_an_ordinary_end() -> None:
    session = FakeSession({BATTERY_LEVEL: b"\x4b"}, [RECORD], hangs_up=True)
    with_clock(session, SLOW_CLOCK)
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", SLOW_CLOCK)]


async def test_a_clock_that_is_right_is_left_alone() -> None:
    session = FakeSession(pushes=[RECORD])
    with_clock(session, NOW + timedelta(seconds=2))
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", NOW + timedelta(seconds=2))]


async def test_a_clock_is_never_set_from_one_that_is_not_trusted() -> None:
    session = FakeSession(pushes=[RECORD], clock_trusted=False)
    with_clock(session, SLOW_CLOCK)
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", SLOW_CLOCK)]


async def test_a_clock_that_does_not_know_the_time_is_recorded_so_and_set() -> None:
    session = FakeSession()
    with_clock(session, NOW)
    session.values[CURRENT_TIME] = bytes(10)
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", None), ("clock-set", NOW)]


async def test_a_meter_with_date_time_alone_is_set_by_seven_octets() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK, DATE_TIME)
    await DRIVER.converse(session)
    assert session.log[-2:] == ["write 2A08 ea070b16081e00", "read 2A08"]


async def test_a_meter_that_takes_a_time_and_does_not_keep_it_is_not_believed() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK)
    session.answers[CURRENT_TIME] = lambda _session, _octets: None
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", SLOW_CLOCK), ("clock-read", SLOW_CLOCK)]


async def test_a_clock_that_cannot_be_read_after_the_set_was_accepted_counts_as_set() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK)
    session.answers[CURRENT_TIME] = lambda at, _octets: at.values.clear()
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", SLOW_CLOCK), ("clock-set", NOW)]


async def test_a_meter_that_wants_its_clock_first_is_set_before_it_sends() -> None:
    session = FakeSession(pushes=[RECORD])
    with_clock(session, SLOW_CLOCK)
    await listen(MEASUREMENT, set_first=True)(session)
    assert session.log == ["subscribe 2A35", "read 2A2B", SET_TO_NOW, "read 2A2B", "listen 5"]
    assert session.recorded == [("clock-read", SLOW_CLOCK), ("clock-set", NOW)]


async def test_current_time_is_preferred_to_date_time() -> None:
    session = FakeSession({DATE_TIME: bytes(7)})
    with_clock(session, NOW)
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", NOW)]


async def test_a_fraction_of_a_second_is_part_of_the_clock() -> None:
    session = FakeSession()
    with_clock(session, NOW)
    session.values[CURRENT_TIME] = clock_octets(CURRENT_TIME, NOW)[:8] + b"\x80\x00"
    await DRIVER.converse(session)
    assert session.recorded == [("clock-read", NOW + timedelta(milliseconds=500))]


async def test_a_clock_that_was_slow_to_answer_makes_no_pair_and_is_not_set() -> None:
    session = FakeSession(slowness=timedelta(seconds=3))
    with_clock(session, SLOW_CLOCK)
    await DRIVER.converse(session)
    assert session.recorded == []


async def test_a_clock_that_refuses_to_be_set_keeps_its_time() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK)
    del session.answers[CURRENT_TIME]
    await DRIVER.converse(session)
    assert ("clock-set", NOW) not in session.recorded


async def test_a_clock_that_complains_of_ignored_fields_and_obeys_was_set() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK)

    def obey_and_complain(at: FakeSession, octets: bytes) -> None:
        at.values[CURRENT_TIME] = octets
        raise LinkError("ATT error 0x80")

    session.answers[CURRENT_TIME] = obey_and_complain
    await DRIVER.converse(session)
    assert session.recorded[-1] == ("clock-set", NOW)


async def test_a_link_lost_while_the_clock_is_set_is_told() -> None:
    session = FakeSession()
    with_clock(session, SLOW_CLOCK)

    def vanish(at: FakeSession, _: bytes) -> None:
        at.hang_up()
        raise LinkError("link lost")

    session.answers[CURRENT_TIME] = vanish
    with pytest.raises(LinkError):
        await DRIVER.converse(session)


@pytest.mark.parametrize("octets", [b"", b"\xe8\x07"], ids=["nothing", "cut short"])
async def test_a_clock_that_makes_no_sense_does_not_stop_the_readings(octets: bytes) -> None:
    session = FakeSession({CURRENT_TIME: octets}, [RECORD])
    await DRIVER.converse(session)
    assert not session.queue


@pytest.mark.parametrize("octets", [b"", b"\x65"], ids=["nothing", "101 %"])
async def test_a_battery_level_that_makes_no_sense_is_not_recorded(octets: bytes) -> None:
    session = FakeSession({BATTERY_LEVEL: octets})
    await DRIVER.converse(session)
    assert session.recorded == []


async def test_a_battery_that_may_not_be_read_does_not_fail_the_session() -> None:
    session = FakeSession()
    session.offers.add(BATTERY_LEVEL)
    await DRIVER.converse(session)
    assert session.recorded == []
