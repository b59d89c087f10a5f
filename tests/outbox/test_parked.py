"""Octets that nobody can read: kept, counted, and never so many that they fill the disk."""

import pytest

from drivers.api import Frame
from gateway.outbox import aside, attention, technician
from gateway.outbox.facts import facts
from tests.drivers.vectors import cases
from tests.outbox.house import BLOOD_PRESSURE, NOON, House, context, cuff, glucose


def broken(number: int = 0) -> Frame:
    """A measurement cut short, told from others by its number."""
    return Frame(BLOOD_PRESSURE, b"\x02" + number.to_bytes(4, "little"))


async def parked(house: House) -> list[tuple[object, ...]]:
    return await house.rows("SELECT id, repeats FROM frames WHERE state = 'parked' ORDER BY id")


async def test_the_same_octets_again_are_counted_and_make_no_new_row(house: House) -> None:
    device = await house.meter()
    for _ in range(3):
        await house.session(device, [broken(), broken(), cuff()])
        await house.settle()
    assert await parked(house) == [(1, 5)]
    assert await house.states() == ["pending"]
    (row,) = await house.store(attention.attention, "parked")
    assert row.reason.endswith(" (came 5 times more)")


async def test_a_cuff_that_does_not_keep_to_its_profile_is_parked_and_nothing_of_it_is_sent(
    house: House,
) -> None:
    (case,) = (each for each in cases("sig_blood_pressure") if "options" in each)
    device = await house.meter()
    await house.session(device, [Frame(BLOOD_PRESSURE, bytes.fromhex(case["hex"]))])
    await house.settle()
    assert await house.states() == []
    (row,) = await house.store(attention.attention, "parked")
    assert "this meter does not keep to its profile" in str(row.reason)


async def test_other_octets_or_another_meter_make_a_row_of_their_own(house: House) -> None:
    one, two = await house.meter(), await house.meter(address="C0:11:22:33:44:52")
    await house.session(one, [broken(1), broken(2)])
    await house.session(two, [broken(1)])
    await house.settle()
    assert [repeats for _, repeats in await parked(house)] == [0, 0, 0]


async def test_octets_that_a_technician_discarded_do_not_come_back(house: House) -> None:
    device = await house.meter()
    await house.session(device, [broken()])
    await house.settle()
    await house.store(technician.discard, "frame", 1, NOON)
    await house.session(device, [broken()])
    await house.settle()
    assert await house.rows("SELECT id, state, repeats FROM frames") == [(1, "ignored", 1)]


async def test_octets_that_a_technician_released_are_parked_again_with_their_count(
    house: House,
) -> None:
    device = await house.meter()
    await house.session(device, [broken(), broken()])
    await house.settle()
    await house.store(technician.release, "frame", 1, lambda *_: "", NOON)
    await house.settle()
    assert await parked(house) == [(1, 1)]


async def test_beyond_the_cap_what_waits_is_kept_and_what_comes_is_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "PARKED_AT_MOST", 3)
    one, two = await house.meter(), await house.meter(address="C0:11:22:33:44:52")
    await house.session(one, [*(broken(n) for n in range(5)), cuff(), broken(0)])
    await house.session(two, [broken(7)])
    await house.settle()
    assert await parked(house) == [(1, 1), (2, 0), (3, 0), (8, 0)]
    assert await house.states() == ["pending"]
    assert await house.rows("SELECT name, n FROM counters") == [(aside.DROPPED, 2)]
    assert (await house.store(facts)).overflowing == 1
    await house.store(technician.discard, "frame", 2, NOON)
    assert (await house.store(facts)).overflowing == 0


async def test_frames_of_a_driver_that_this_version_lacks_are_never_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "PARKED_AT_MOST", 3)
    device = await house.meter("acme_cuff")
    await house.session(device, [cuff(120 + n) for n in range(5)])
    await house.settle()
    assert len(await parked(house)) == 5


async def test_a_context_that_comes_again_before_its_record_waits_once_and_is_joined(
    house: House,
) -> None:
    device = await house.meter("sig_glucose")
    for _ in range(2):
        await house.session(device, [context(7)])
        await house.settle()
    assert await house.rows("SELECT state, repeats FROM frames") == [("held", 1)]
    await house.session(device, [glucose(7)])
    await house.settle()
    assert await house.rows("SELECT state, reading_id FROM frames") == [("decoded", 1)] * 2
    assert await house.store(attention.attention, "held") == []
