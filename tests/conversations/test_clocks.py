"""A meter's clock that is wrong: its pair is stored, its records are right, and then it is set."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.common import CLOSE_ENOUGH
from gateway.outbox import sessions
from simulator.meters.glucose import GlucoseMeter
from simulator.meters.push import PushMeter
from tests.conversations.room import Room

NEAR = timedelta(seconds=3)  # whole seconds on the wire, and the pair itself
ERRORS = [
    timedelta(hours=1),
    timedelta(hours=-1),
    timedelta(days=365),
    timedelta(days=-365),
]
WORDS = ["one hour fast", "one hour slow", "one year fast", "one year slow"]


async def right(room: Room, meter: GlucoseMeter | PushMeter) -> None:
    """Every reading has the time at which it was really taken."""
    rows = await room.readings()
    assert len(rows) == len(meter.measured)
    for row, measured in zip(rows, meter.measured, strict=True):
        assert row.effective is not None
        assert abs(row.effective - measured.at) < NEAR
        assert row.state == "pending"


async def pair_error(room: Room) -> timedelta:
    """By how much the meter's clock was fast, as stored with the first session."""
    _, event = await room.store(sessions.clock_pair, 1)
    assert event is not None
    assert event.device_clock is not None
    local = event.stamp.wall.astimezone(room.ours.zone).replace(tzinfo=None)
    return event.device_clock - local


@pytest.mark.parametrize("error", ERRORS, ids=WORDS)
async def test_records_of_a_wrong_clock_are_right_and_the_clock_is_set(
    room: Room, error: timedelta
) -> None:
    meter = room.glucose()
    meter.peripheral.clock.offset = error
    await room.add(meter)
    for days in (3, 2, 1):
        meter.measure(datetime.now(UTC) - timedelta(days=days))
    await room.visit(meter)
    await right(room, meter)
    assert abs(await pair_error(room) - error) < NEAR
    assert abs(meter.peripheral.clock.offset) <= CLOSE_ENOUGH
    meter.measure()
    await room.visit(meter)
    await right(room, meter)


@pytest.mark.parametrize("error", ERRORS, ids=WORDS)
async def test_a_cuff_with_a_wrong_clock_is_heard_out_first(room: Room, error: timedelta) -> None:
    meter = room.cuff()
    meter.peripheral.clock.offset = error
    await room.add(meter, slot=1)
    meter.measure(datetime.now(UTC) - timedelta(hours=4))
    meter.measure()
    await room.visit(meter)
    await right(room, meter)
    assert abs(await pair_error(room) - error) < NEAR
    assert abs(meter.peripheral.clock.offset) <= CLOSE_ENOUGH


async def test_records_of_before_the_set_that_come_after_it_keep_their_own_clock(
    room: Room,
) -> None:
    meter = room.glucose()
    meter.peripheral.clock.offset = timedelta(hours=1)
    await room.add(meter)
    meter.measure(datetime.now(UTC) - timedelta(days=2))
    await room.visit(meter)
    old = meter.annotate(meter.measured[0], None)  # told again, under the clock that is right now
    await room.visit(meter)
    assert old.at == meter.measured[0].at
    await right(room, meter)


async def test_a_clock_is_left_alone_while_the_drain_has_not_ended_well(room: Room) -> None:
    meter = room.glucose(4)
    meter.peripheral.clock.offset = timedelta(hours=1)
    await room.add(meter)
    meter.manners.breaks_off_after = 2
    await room.visit(meter)
    assert meter.peripheral.clock.offset == timedelta(hours=1)
