"""HL7's identifier has the meter's stamp in it: no two readings of the outbox may share one."""

import json
from datetime import timedelta

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
