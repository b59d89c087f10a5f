"""Nothing lost, nothing doubled: which frames make which readings."""

from datetime import timedelta

import pytest

from tests.outbox.house import BODIL, NOON, House, context, cuff, glucose


async def test_a_frame_becomes_one_pending_reading(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff()])
    await house.settle()
    assert await house.states() == ["pending"]
    assert len(await house.due()) == 1


async def test_a_meter_that_sends_its_whole_memory_again_makes_no_new_reading(
    house: House,
) -> None:
    device = await house.meter()
    memory = [cuff(120 + n, NOON - timedelta(hours=n)) for n in range(5)]
    await house.session(device, memory)
    await house.settle()
    house.now.move(days=3)
    await house.session(device, memory)
    await house.settle()
    assert len(await house.states()) == 5


async def test_two_equal_measurements_at_different_times_stay_two(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(120, NOON), cuff(120, NOON + timedelta(minutes=1))])
    await house.settle()
    assert len(await house.states()) == 2


async def test_a_record_that_was_sent_twice_in_one_session_is_one_reading(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(7), context(7), glucose(7), context(7)])
    await house.settle()
    assert await house.states() == ["pending"]


async def test_a_long_session_parts_no_record_from_its_context(house: House) -> None:
    device = await house.meter("sig_glucose")
    memory = [each for n in range(1, 81) for each in (glucose(n), context(n))]
    await house.session(device, memory[1:] + memory[:1])
    await house.settle()
    assert await house.rows("SELECT DISTINCT version FROM readings") == [(1,)]
    assert len(await house.states()) == 80


async def test_the_id_is_the_same_from_a_replaced_gateway(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ids = []
    for name in ("old", "new"):
        house = House(tmp_path_factory.mktemp(name))
        await house.session(await house.meter(), [cuff()])
        await house.settle()
        ids.append([message.id for message in await house.due()])
        house.close()
    assert ids[0] == ids[1]


async def test_another_persons_reading_has_another_id(house: House) -> None:
    anna = await house.meter(slot=1)
    await house.meter(slot=2, patient=BODIL)
    await house.session(anna, [cuff(user=1), cuff(user=2)])
    await house.settle()
    assert len({message.id for message in await house.due()}) == 2


async def test_a_late_context_is_a_new_version_of_the_same_reading(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(7)])
    await house.settle()
    (first,) = await house.publish()
    await house.receive(first)
    await house.session(device, [context(7)])
    await house.settle()
    (second,) = await house.due()
    assert (second.id, second.version) == (first.id, 2)
    assert second.seq > first.seq
    assert b'"amended"' in second.body


async def test_a_context_before_its_record_waits_for_it(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [context(7)])
    await house.settle()
    assert await house.states() == []
    await house.session(device, [glucose(7)])
    await house.settle()
    (message,) = await house.due()
    assert b"fasting" in message.body or b"8417876" in message.body


async def test_the_same_sequence_after_a_reset_is_another_reading(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(1), context(1)])
    await house.session(device, [glucose(1, 72, NOON + timedelta(minutes=5))])
    await house.settle()
    assert len(await house.states()) == 2


async def test_octets_that_do_not_decode_are_parked_and_the_rest_goes_on(house: House) -> None:
    device = await house.meter()
    broken = cuff()._replace(octets=b"\x02\x79")
    await house.session(device, [broken, cuff()])
    await house.settle()
    assert await house.states() == ["pending"]
    assert await house.rows("SELECT state FROM frames ORDER BY id") == [("parked",), ("decoded",)]


async def test_control_solution_is_kept_and_never_published(house: House) -> None:
    device = await house.meter("sig_glucose")
    control = glucose(3)._replace(octets=glucose(3).octets[:-1] + b"\x1a")
    await house.session(device, [control])
    await house.settle()
    assert await house.states() == ["ignored"]
    assert await house.due() == []
