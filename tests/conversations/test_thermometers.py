"""Where a thermometer measures: told with every measurement, or once for all of them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.outbox import delivery, devices
from gateway.outbox.moments import to_us
from simulator.meters.push import Profile, PushMeter
from simulator.meters.thermometer import FINGER_THERMOMETER, THERMOMETER
from tests.conversations.room import ANNA, Room, identity

MDC = "urn:iso:std:iso:11073:10101"
TEMPERATURE_TYPE = 0x2A1D


def thermometer(room: Room, profile: Profile) -> PushMeter:
    return room.push(profile, identity("TEMP", 0x54))


async def codings(room: Room) -> list[list[dict[str, str]]]:
    """What each reading that is to be sent says it measured."""
    messages = await room.store(delivery.due, room.ours.utc(), 10)
    found = [
        entry["resource"]["code"]["coding"]
        for message in messages
        for entry in json.loads(message.body)["entry"]
        if "valueQuantity" in entry["resource"]
    ]
    return [*found]


@pytest.mark.parametrize(
    ("profile", "mdc", "systems"),
    [(THERMOMETER, "188428", 4), (FINGER_THERMOMETER, "188432", 1)],
    ids=["ear, with each", "finger, once"],
)
async def test_a_temperature_is_sent_as_of_the_place_that_it_was_taken_at(
    room: Room, profile: Profile, mdc: str, systems: int
) -> None:
    meter = thermometer(room, profile)
    await room.add(meter, ANNA)
    meter.measure()
    assert await room.visit(meter) == ["complete"]
    (coding,) = await codings(room)
    assert (coding[0]["system"], coding[0]["code"]) == (MDC, mdc)
    assert len(coding) == systems


async def test_a_meter_that_was_introduced_before_its_place_was_asked_for_is_asked_anew(
    room: Room,
) -> None:
    meter = thermometer(room, replace(FINGER_THERMOMETER, features={TEMPERATURE_TYPE: b""}))
    await room.add(meter, ANNA)
    assert await room.visit(meter) == ["complete"]
    read_at = (await room.store(devices.by_id, 1)).info_read_at
    assert read_at is not None
    long_ago = to_us(read_at - timedelta(days=31))
    await room.store(lambda db: db.execute("UPDATE devices SET info_read_at = ?", long_ago))
    meter.features[TEMPERATURE_TYPE].value = b"\x04"
    assert await room.visit(meter) == ["complete"]
    meter.measure()
    assert await room.visit(meter) == ["complete"]
    (coding,) = await codings(room)
    assert [each["code"] for each in coding] == ["188432"]
