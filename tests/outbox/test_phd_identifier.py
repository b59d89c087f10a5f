"""HL7's identifier has the meter's stamp in it: no two readings of the outbox may share one."""

import json
from datetime import timedelta

from gateway.outbox import frames, sessions
from tests.outbox.house import NOON, House, cuff, glucose

SYSTEM = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation"


async def identifiers(house: House) -> list[str]:
    """Those of PHD in everything that is due, in the order of sending."""
    return [
        identifier["value"]
        for message in await house.due()
        for entry in json.loads(message.body)["entry"]
        for identifier in entry["resource"]["identifier"]
        if identifier["system"] == SYSTEM
    ]


async def test_readings_of_two_moments_have_each_their_own(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(121), cuff(125, NOON - timedelta(minutes=1))])
    await house.settle()
    found = await identifiers(house)
    assert len(found) == len(set(found)) == 2


async def test_two_readings_of_one_stamp_have_none(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(7, 61), glucose(8, 64)])
    await house.settle()
    assert len(await house.due()) == 2
    assert await identifiers(house) == []


async def test_a_second_reading_of_a_stamp_leaves_the_first_what_it_has(house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(7, 61)])
    await house.settle()
    first = await identifiers(house)
    await house.session(device, [glucose(8, 64)])
    await house.settle()
    assert len(first) == 2  # the glucose and where it was drawn
    assert await identifiers(house) == first


async def test_another_meters_stamp_is_another_matter(house: House) -> None:
    for address in ("C0:11:22:33:44:51", "C0:11:22:33:44:52"):
        device = await house.meter(address=address)
        await house.session(device, [cuff()])
    await house.settle()
    assert len(await identifiers(house)) == 2


async def test_a_stamp_that_comes_again_after_a_reset_is_not_called_by_it_again(
    house: House,
) -> None:
    """Two real moments, one stamp: the meter's clock was set back a week in between."""
    device = await house.meter()
    await house.session(device, [cuff(121)])
    await house.settle()
    first = await identifiers(house)
    house.now.move(days=7, minutes=5)
    behind = house.ours.local() - timedelta(days=7)
    await house.session(device, [], clock=behind)
    await house.settle()
    stamped = NOON  # what its clock shows now, and a week ago
    house.now.move(minutes=1)
    await house.session(device, [cuff(135, stamped)], clock=behind + timedelta(minutes=1))
    await house.settle()
    messages = await house.due()
    assert len({each.id for each in messages}) == 2
    assert await identifiers(house) == first


async def test_a_pair_of_clocks_stands_only_beside_stamps_that_it_explains(house: House) -> None:
    """What was measured before the clock was set wrong has the right time by an earlier pair."""
    device = await house.meter()
    await house.session(device, [])
    house.now.move(hours=2)
    old = cuff(121, house.now() - timedelta(hours=1))
    behind = house.ours.local() - timedelta(days=3000)
    await house.session(device, [old], clock=behind)
    await house.settle()
    (message,) = await house.due()
    assert message.taken_at == house.now() - timedelta(hours=1)
    assert b"PhdCoincidentTimeStampObservation" not in message.body


async def test_a_pair_of_clocks_is_corrected_once(house: House) -> None:
    device = await house.meter()
    row = await house.store(sessions.begin, device, house.now())
    await house.store(
        sessions.clock_event, row, "read", house.ours.local(), house.stamp(trusted=False)
    )
    await house.store(frames.keep, device, row, [(cuff(121), house.stamp())])
    await house.settle()
    house.now.move(milliseconds=40)  # our clock is set a little, and the boot with it
    await house.store(
        frames.keep, device, row, [(cuff(125, NOON - timedelta(minutes=1)), house.stamp())]
    )
    await house.settle()
    await house.store(sessions.end, row, "complete", house.now())
    await house.settle()
    pairs = {
        json.dumps(entry["resource"])
        for message in await house.due()
        for entry in json.loads(message.body)["entry"]
        if "valueDateTime" in entry["resource"]
    }
    assert len(pairs) == 1


async def test_nor_beside_a_stamp_that_nothing_explains(house: House) -> None:
    """Whoever reckons by the pair would find a time that we have refused to make up."""
    device = await house.meter()
    await house.session(device, [])
    house.now.move(hours=2)
    await house.session(device, [cuff(121, house.now() + timedelta(days=40))])
    await house.settle()
    (message,) = await house.due()
    assert message.taken_at is None
    assert b"PhdCoincidentTimeStampObservation" not in message.body
