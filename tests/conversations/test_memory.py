"""Numbered records over a link that is cut, a meter that starts again, or counts otherwise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from simulator.meters.glucose import GlucoseMeter
from simulator.meters.record_access import Operator
from tests.conversations.room import QUICK, Room, Row

HUNG_UP = "the meter hung up before it had given all its records"
ASK_FOR_ALL = bytes([1, 1])


def numbers(rows: list[Row]) -> list[int | None]:
    return [row.reading.sequence for row in rows]


def told(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row.reading.taken_at, row.reading.values, row.meal) for row in rows]


def known(meter: GlucoseMeter) -> list[tuple[object, ...]]:
    return [(each.taken_at, each.values, each.codes.get("meal")) for each in meter.measured]


async def cursor(room: Room) -> object:
    return (await room.rows("SELECT cursor FROM devices"))[0][0]


async def test_five_hundred_records_cut_at_137_arrive_in_order_and_none_twice(room: Room) -> None:
    meter = room.glucose(500)
    await room.add(meter)
    meter.manners.hangs_up_after = 137
    assert await room.visit(meter) == [HUNG_UP]
    assert numbers(await room.readings()) == [*range(1, 138)]
    assert await cursor(room) is None
    assert await room.visit(meter) == ["complete"]
    rows = await room.readings()
    assert told(rows) == known(meter)
    assert {row.version for row in rows} == {1}
    assert await cursor(room) == 500


@pytest.mark.parametrize("newest_first", [False, True], ids=["oldest first", "newest first"])
async def test_a_link_cut_at_any_record_loses_none_and_doubles_none(
    room: Room, newest_first: bool
) -> None:
    cuts = range(13)
    meters = [room.glucose(12, last=0x80 + cut) for cut in cuts]
    for cut, meter in zip(cuts, meters, strict=True):
        await room.add(meter)
        meter.manners.newest_first = newest_first
        meter.manners.hangs_up_after = cut
    outcomes = await room.drain(*meters)
    assert outcomes.count(HUNG_UP) >= 12
    rows = await room.readings()
    for device, meter in enumerate(meters, start=1):
        mine = sorted((row for row in rows if row.device == device), key=lambda row: numbers([row]))
        assert told(mine) == known(meter)


@pytest.mark.parametrize("frames", [1, 2, 3])
async def test_a_context_that_the_cut_parted_from_its_record_is_joined(
    room: Room, frames: int
) -> None:
    meter = room.glucose(2, habits=replace(QUICK, gives_up_after=frames))
    await room.add(meter)
    assert await room.visit(meter) == [HUNG_UP]
    assert await room.visit(meter) == ["complete"]
    assert told(await room.readings()) == known(meter)
    states = await room.rows("SELECT DISTINCT state FROM frames ORDER BY state")
    assert {state for (state,) in states} <= {"decoded", "repeat"}


async def test_a_later_visit_fetches_what_is_new_and_no_more(room: Room) -> None:
    meter = room.glucose(30)
    await room.add(meter)
    await room.visit(meter)
    meter.measure()
    await room.visit(meter)
    assert told(await room.readings()) == known(meter)
    assert meter.requests == [ASK_FOR_ALL, bytes([1, 3, 1, 30, 0])]
    assert len(await room.rows("SELECT 1 FROM frames")) == 2 * 32


async def test_newest_first_and_cut_in_the_middle_the_old_half_is_not_forgotten(
    room: Room,
) -> None:
    meter = room.glucose(10)
    await room.add(meter)
    meter.manners.newest_first = True
    meter.manners.hangs_up_after = 5
    assert await room.visit(meter) == [HUNG_UP]
    assert await room.visit(meter) == ["complete"]
    meter.measure()
    assert await room.visit(meter) == ["complete"]
    assert sorted(numbers(await room.readings()), key=str) == sorted(range(1, 12), key=str)
    assert meter.requests == [ASK_FOR_ALL] * 3  # read in full: its numbers make no cursor


@pytest.mark.parametrize("since", [1, 3, 4, 9], ids=["below", "at", "just past", "far past"])
async def test_a_meter_that_was_reset_and_counts_anew_is_read_in_full(
    room: Room, since: int
) -> None:
    meter = room.glucose(3)
    await room.add(meter)
    await room.visit(meter)
    meter.reset()
    for n in range(since):
        meter.measure(datetime.now(UTC) - timedelta(minutes=since - n))
    await room.visit(meter)
    rows = sorted(await room.readings(), key=lambda row: str(row.effective))
    assert told(rows) == known(meter)
    assert await cursor(room) == since


async def test_numbers_go_on_after_the_last_one(room: Room) -> None:
    meter = room.glucose(3, first_number=65533)
    await room.add(meter)
    await room.visit(meter)
    assert await cursor(room) == 65535
    for _ in range(2):
        meter.measure()
    await room.visit(meter)
    assert numbers(await room.readings()) == [65533, 65534, 65535, 0, 1]
    assert await cursor(room) == 1
    meter.measure()
    await room.visit(meter)
    assert told(await room.readings()) == known(meter)


async def test_a_meter_that_knows_no_filter_is_read_in_full(room: Room) -> None:
    meter = room.glucose(3)
    await room.add(meter)
    meter.manners.refuses = {Operator.FROM}
    await room.visit(meter)
    meter.measure()
    await room.visit(meter)
    assert told(await room.readings()) == known(meter)
    assert meter.requests[1:] == [bytes([1, 3, 1, 3, 0]), ASK_FOR_ALL]


async def test_a_context_of_a_later_session_is_a_new_version_of_its_reading(room: Room) -> None:
    meter = room.glucose(1)
    await room.add(meter)
    bare = meter.annotate(meter.measured[0], None)
    await room.visit(meter)
    (first,) = await room.readings()
    assert (first.meal, first.version) == (None, 1)
    tagged = meter.annotate(bare, 0)
    await room.visit(meter)
    meter.annotate(tagged, 2)
    await room.visit(meter)
    meter.annotate(meter.measured[0], 0)  # back to what was said before
    await room.visit(meter)
    (row,) = await room.readings()
    assert (row.meal, row.version) == ("preprandial", 4)
