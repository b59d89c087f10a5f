"""Right time, right person: what is known is said, what is not known is held or said so."""

from datetime import timedelta

import pytest

from drivers.api import Frame
from drivers.sig_pulse_oximeter import MEASUREMENT as OXIMETRY
from gateway.outbox import devices, frames, sessions
from tests.outbox.house import ANNA, NOON, House, cuff


async def effective(house: House) -> list[object]:
    """Minutes from NOON, None where the time is unknown."""
    rows = await house.rows("SELECT effective_at FROM readings ORDER BY id")
    epoch = int(NOON.timestamp() * 1e6)
    return [None if at is None else (int(str(at)) - epoch) / 60e6 for (at,) in rows]


async def test_a_stamp_is_resolved_by_the_offset_of_the_meters_clock(house: House) -> None:
    device = await house.meter()
    slow = house.ours.local() - timedelta(minutes=6)
    await house.session(device, [cuff(at=NOON - timedelta(minutes=6))], clock=slow)
    await house.settle()
    assert await effective(house) == [0.0]


async def test_a_meter_one_year_off_is_still_right(house: House) -> None:
    device = await house.meter()
    off = house.ours.local() - timedelta(days=365)
    await house.session(device, [cuff(at=NOON - timedelta(days=365, minutes=3))], clock=off)
    await house.settle()
    assert await effective(house) == [-3.0]


async def test_a_stamp_from_before_the_clock_was_set_keeps_its_own_offset(house: House) -> None:
    device = await house.meter()
    row = await house.store(sessions.begin, device, house.now())
    wrong = house.ours.local() - timedelta(hours=5)
    await house.store(sessions.clock_event, row, "read", wrong, house.stamp())
    await house.store(sessions.clock_event, row, "set", house.ours.local(), house.stamp())
    await house.store(sessions.end, row, "complete", house.now())
    house.now.move(hours=1)
    old = cuff(120, NOON - timedelta(hours=5, minutes=10))
    new = cuff(130, NOON + timedelta(minutes=50))
    await house.session(device, [old, new])
    await house.settle()
    assert await effective(house) == [-10.0, 50.0]


@pytest.mark.parametrize(
    ("octets", "minutes"),
    [
        ("02 6100 4000 0000", 0.0),
        ("02 6100 4000 0002", None),
        ("03 6100 4000 ea070b18090000 0002", -180.0),
    ],
    ids=["no stamp", "no stamp, from the meter's storage", "a stamp, from the meter's storage"],
)
async def test_what_comes_from_a_meters_storage_was_not_taken_when_it_came(
    house: House, octets: str, minutes: float | None
) -> None:
    device = await house.meter("sig_pulse_oximeter")
    await house.session(device, [Frame(OXIMETRY, bytes.fromhex(octets))])
    await house.settle()
    assert await effective(house) == [minutes]


async def test_a_stamp_that_no_clock_explains_is_published_with_its_time_unknown(
    house: House,
) -> None:
    device = await house.meter()
    await house.session(device, [cuff(at=NOON + timedelta(days=30))])
    await house.settle()
    assert await effective(house) == [None]
    (message,) = await house.due()
    assert b"_effectiveDateTime" in message.body
    assert message.taken_at is None


async def test_a_reading_without_a_stamp_was_taken_when_it_arrived(house: House) -> None:
    device = await house.meter()
    house.now.move(minutes=2)
    await house.session(device, [cuff(at=None)])
    await house.settle()
    assert await effective(house) == [2.0]


async def test_a_slot_that_belongs_to_nobody_is_held(house: House) -> None:
    device = await house.meter(slot=1)
    await house.session(device, [cuff(user=2)])
    await house.settle()
    assert await house.states() == ["held"]
    assert await house.due() == []


async def test_a_slot_that_is_ignored_is_never_published(house: House) -> None:
    device = await house.meter(slot=1)
    await house.meter(slot=2, patient=None)
    await house.session(device, [cuff(user=2)])
    await house.settle()
    assert await house.states() == ["ignored"]


async def test_a_strangers_memory_in_a_recycled_meter_is_held(house: House) -> None:
    device = await house.meter(since=NOON)
    memory = [cuff(120, NOON - timedelta(days=n)) for n in range(1, 4)]
    await house.session(device, [*memory, cuff(at=NOON + timedelta(seconds=30))])
    await house.settle()
    assert await house.states() == ["held", "held", "held", "pending"]


async def test_what_was_measured_in_the_moment_of_pairing_is_not_older(house: House) -> None:
    device = await house.meter(since=NOON + timedelta(milliseconds=900))
    await house.session(device, [cuff(at=NOON), cuff(at=NOON - timedelta(seconds=2))])
    await house.settle()
    assert await house.states() == ["pending", "held"]


async def test_frames_that_came_while_our_clock_was_wrong_wait_for_it(house: House) -> None:
    device = await house.meter()
    row = await house.store(sessions.begin, device, house.now())
    early = house.stamp(trusted=False)
    await house.store(sessions.clock_event, row, "read", house.ours.local(), early)
    await house.store(frames.keep, device, row, [(cuff(), early)])
    await house.store(sessions.end, row, "complete", house.now())
    waiting = house.stamp(trusted=False)
    taken = await house.store(frames.take, (), waiting, timedelta(hours=24), 50)
    assert taken == []
    assert await house.store(frames.waiting_for_clock) == 1
    await house.settle()  # trusted now
    assert await house.states() == ["pending"]


async def test_a_clock_that_was_years_behind_is_counted_back(house: House) -> None:
    device = await house.meter()
    house.now.move(days=-700)
    row = await house.store(sessions.begin, device, house.now())
    behind = house.stamp(trusted=False)
    await house.store(frames.keep, device, row, [(cuff(at=None), behind)])
    await house.store(sessions.end, row, "complete", house.now())
    house.now.move(days=700)
    await house.settle()
    (minutes,) = await effective(house)
    assert isinstance(minutes, float)
    assert abs(minutes) < 1.0


async def test_forgetting_a_meter_takes_the_persons_rows_with_it(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff()])
    await house.settle()
    await house.store(devices.forget, device, house.now())
    for table in ("devices", "bindings", "sessions", "frames", "readings", "bodies"):
        assert await house.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - constants


async def test_a_meter_forgotten_while_its_frames_are_in_hand_ends_nothing(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff()])
    batch = await house.store(frames.take, (), house.ours.now(), timedelta(hours=24), 50)
    await house.store(devices.forget, device, house.now())
    await house.process.filing.handle(batch)
    assert await house.states() == []


async def test_a_taken_slot_cannot_be_given_to_another(house: House) -> None:
    await house.meter(slot=1)
    address = "C0:11:22:33:44:51"
    with pytest.raises(devices.Known, match="slot 1"):
        await house.store(devices.add, address, "sig_blood_pressure", ANNA, 1, NOON, NOON)
