"""Whose reading it is: slots, strangers' memories, two meters at once."""

from datetime import UTC, datetime, timedelta

from simulator.meters.push import PushMeter
from tests.conversations.octets import pressure
from tests.conversations.room import ANNA, BODIL, Room


def said(meter: PushMeter, user: int) -> None:
    """Somebody measures under that user slot."""
    measured = meter.measure()
    meter.stored[-1] = pressure(measured, user=user)


async def test_two_slots_of_one_cuff_are_two_people_and_a_third_is_held(room: Room) -> None:
    cuff = room.cuff()
    await room.add(cuff, ANNA, slot=1)
    await room.add(cuff, BODIL, slot=2)
    for user in (1, 2, 3):
        said(cuff, user)
    await room.visit(cuff)
    rows = [(row.patient, row.state) for row in await room.readings()]
    assert rows == [(ANNA, "pending"), (BODIL, "pending"), (None, "held")]


async def test_a_slot_that_is_ignored_is_kept_and_never_published(room: Room) -> None:
    cuff = room.cuff()
    await room.add(cuff, ANNA, slot=1)
    await room.add(cuff, None, slot=2)
    for user in (2, 1):
        said(cuff, user)
    await room.visit(cuff)
    assert [row.state for row in await room.readings()] == ["ignored", "pending"]


async def test_of_a_recycled_meter_with_200_readings_of_a_stranger_none_is_published(
    room: Room,
) -> None:
    meter = room.glucose(200)
    await room.add(meter, since=None)
    await room.visit(meter)
    assert {row.state for row in await room.readings()} == {"held"}
    meter.measure()
    await room.visit(meter)
    states = [row.state for row in await room.readings()]
    assert states == ["held"] * 200 + ["pending"]


async def test_a_strangers_readings_stay_held_when_the_first_link_was_cut_and_no_date_is_known(
    room: Room,
) -> None:
    """Their clock is a year ahead of what it was: no time can be told from their stamps."""
    meter = room.glucose()
    meter.peripheral.clock.offset = timedelta(days=400)
    for days in range(20):
        meter.measure(datetime.now(UTC) - timedelta(days=20 - days))
    meter.peripheral.clock.offset = timedelta(0)
    await room.add(meter, since=None)
    meter.manners.hangs_up_after = 7
    await room.visit(meter)
    await room.visit(meter)
    rows = await room.readings()
    assert len(rows) == 20
    assert {row.effective for row in rows} == {None}
    assert {row.state for row in rows} == {"held"}


async def test_what_a_cuff_without_a_date_held_when_we_met_is_held_and_later_ones_are_not(
    room: Room,
) -> None:
    cuff = room.cuff()
    await room.add(cuff, since=None)
    cuff.measure()
    cuff.stored[-1] = pressure(cuff.stored[-1], user=None, dated=False)
    await room.visit(cuff)
    cuff.measure()
    cuff.stored[-1] = pressure(cuff.stored[-1], user=None, dated=False)
    await room.visit(cuff)
    assert [row.state for row in await room.readings()] == ["held", "pending"]


async def test_two_meters_are_read_at_once(room: Room) -> None:
    cuff, glucose = room.cuff(), room.glucose(60)
    await room.add(cuff, ANNA, slot=1)
    await room.add(glucose, BODIL)
    for minutes in range(8):
        cuff.measure(datetime.now(UTC) - timedelta(minutes=minutes))
    await room.visit(cuff, glucose, sessions=2)
    rows = await room.readings()
    assert [row.patient for row in rows].count(ANNA) == 8
    assert [row.patient for row in rows].count(BODIL) == 60
    spans = await room.rows("SELECT started_at, ended_at FROM sessions ORDER BY started_at")
    assert spans[1][0] < spans[0][1]
