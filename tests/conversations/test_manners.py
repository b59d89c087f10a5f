"""Meters that refuse, answer wrongly, fall silent, never stop, or send what nobody can read."""

from dataclasses import replace

import pytest

from drivers.api import Absent, Kind
from drivers.registry import all_drivers
from simulator.meters.meter import Habits
from simulator.meters.record_access import Operator
from tests.conversations.octets import NO_NUMBER, pressure, raw
from tests.conversations.room import ANNA, HURRIED, Room

ABORT = bytes([3, 0])


async def test_a_meter_that_breaks_off_is_asked_again_for_everything(room: Room) -> None:
    meter = room.glucose(5)
    await room.add(meter)
    meter.manners.breaks_off_after = 3
    (outcome,) = await room.visit(meter)
    assert outcome == "the meter did not give its records: response code 8"
    assert len(await room.readings()) == 3
    meter.manners.breaks_off_after = None
    assert await room.visit(meter) == ["complete"]
    assert [row.reading.sequence for row in await room.readings()] == [1, 2, 3, 4, 5]


async def test_a_meter_that_refuses_every_request_is_an_error_in_words(room: Room) -> None:
    meter = room.glucose(2)
    await room.add(meter)
    meter.manners.refuses = {Operator.ALL, Operator.FROM}
    (outcome,) = await room.visit(meter)
    assert outcome == "the meter did not give its records: response code 4"


@pytest.mark.parametrize(
    "stray",
    [b"\x06\x00\x04\x01", b"\x05\x00\x07\x00", b"\x06\x00", b"\x06\x00\x03\x01", b""],
    ids=["to another request", "a count", "cut short", "to an abort", "empty"],
)
async def test_an_answer_to_something_else_ends_nothing(room: Room, stray: bytes) -> None:
    meter = room.glucose(3)
    await room.add(meter)
    meter.manners.preface = [stray]
    assert await room.visit(meter) == ["complete"]
    assert len(await room.readings()) == 3


async def test_an_answer_before_its_records_loses_none(room: Room) -> None:
    meter = room.glucose(9)
    await room.add(meter)
    meter.manners.answers_first = True
    assert await room.visit(meter) == ["complete"]
    meter.measure()
    assert await room.visit(meter) == ["complete"]
    assert [row.reading.sequence for row in await room.readings()] == [*range(1, 11)]
    assert await room.rows("SELECT cursor FROM devices") == [(10,)]


async def test_a_meter_that_falls_silent_is_told_to_stop_and_left(room: Room) -> None:
    meter = room.glucose(5)
    await room.add(meter)
    meter.manners.silent_after = 2
    (outcome,) = await room.visit(meter)
    assert outcome.startswith("the meter was silent")
    assert meter.requests[-1] == ABORT
    assert [row.reading.sequence for row in await room.readings()] == [1, 2]


async def test_a_meter_that_never_stops_is_told_to_and_what_came_is_kept(room: Room) -> None:
    hasty = [replace(each, session_s=1.0) for each in HURRIED]
    room.drive(hasty)
    meter = room.glucose(5)
    await room.add(meter)
    meter.manners.never_ends = True
    (outcome,) = await room.visit(meter)
    assert outcome == "the conversation was not over after 1 s"
    assert meter.requests[-1] == ABORT
    assert [row.reading.sequence for row in await room.readings()] == [1, 2, 3, 4, 5]
    meter.manners.never_ends = False
    assert await room.visit(meter) == ["complete"]
    assert len(await room.readings()) == 5


async def test_a_meter_that_is_awake_for_five_seconds_is_read_in_them(room: Room) -> None:
    room.drive([*all_drivers().values()])  # the patience that people need
    short = Habits(awake_s=5.0, idle_s=5.0, advertising_ms=200)
    meter, cuff = room.glucose(40, habits=short), room.cuff(habits=short)
    await room.add(meter)
    await room.add(cuff, ANNA, slot=1)
    cuff.measure()
    assert await room.visit(meter, cuff, sessions=2) == ["complete"] * 2
    assert len(await room.readings()) == 41


async def test_a_pulse_that_is_no_number_is_said_so(room: Room) -> None:
    cuff = room.cuff()
    await room.add(cuff, ANNA, slot=1)
    cuff.stored[:] = [pressure(cuff.measure(), pulse=NO_NUMBER)]
    await room.visit(cuff)
    (row,) = await room.readings()
    pulse = next(each for each in row.reading.values if each.kind is Kind.PULSE_RATE)
    assert (pulse.number, pulse.absent) == (None, Absent.NOT_A_NUMBER)
    assert row.state == "pending"


async def test_notifications_of_0_and_512_octets_are_parked_and_the_session_goes_on(
    room: Room,
) -> None:
    cuff = room.cuff()
    await room.add(cuff, ANNA, slot=1)
    measured = [cuff.measure() for _ in range(3)]
    cuff.stored[:2] = [raw(measured[0], b""), raw(measured[1], bytes(512))]
    assert await room.visit(cuff) == ["complete"]
    assert [row.state for row in await room.readings()] == ["pending"]
    parked = await room.rows("SELECT state, reason FROM frames WHERE state = 'parked' ORDER BY id")
    assert [reason.split(",")[0] for _, reason in parked] == [
        "decode: need 1 octets",
        "decode: need at most 128 octets",
    ]


async def test_the_same_unreadable_octets_again_are_counted_where_they_stand(room: Room) -> None:
    cuff = room.cuff()
    await room.add(cuff, ANNA, slot=1)
    for _ in range(3):
        cuff.stored[:] = [raw(cuff.measure(), b"\x02\x79")]
        await room.visit(cuff)
    assert await room.rows("SELECT state, repeats FROM frames") == [("parked", 2)]
