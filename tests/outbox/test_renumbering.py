"""Meters that give the newest record the number 1 renumber all others with each measurement."""

from datetime import datetime, timedelta

from drivers.api import Frame
from gateway.outbox import delivery
from tests.outbox.house import NOON, House, context, glucose

HOUR = timedelta(hours=1)


def memory(*values: int, until: datetime = NOON) -> list[Frame]:
    """So many measurements, an hour apart, the newest last here and number 1 there."""
    count = len(values)
    return [
        glucose(count - n, mmol, until - (count - 1 - n) * HOUR) for n, mmol in enumerate(values)
    ][::-1]


async def told(house: House, *frames: Frame) -> None:
    known = await house.rows("SELECT 1 FROM devices")
    await house.session(1 if known else await house.meter("sig_glucose"), frames)
    await house.settle()


async def confirm(house: House) -> int:
    """How many messages went out."""
    messages = await house.publish()
    for message in messages:
        await house.receive(message)
    return len(messages)


async def test_each_measurement_is_sent_once_however_it_is_numbered(house: House) -> None:
    sent = []
    for day in range(1, 6):
        await told(house, *memory(*range(50, 50 + day), until=NOON + day * HOUR))
        sent.append(await confirm(house))
        house.now.move(hours=1)
    assert sent == [1, 1, 1, 1, 1]


async def test_so_too_when_their_contents_are_purged(house: House) -> None:
    await told(house, *memory(50, 51, 52))
    assert await confirm(house) == 3
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(0), house.now())
    later = NOON + 8 * 24 * HOUR
    await told(
        house, glucose(1, 60, later), *[renumbered(frame, 1) for frame in memory(50, 51, 52)]
    )
    assert await confirm(house) == 1


def renumbered(frame: Frame, by: int) -> Frame:
    number = int.from_bytes(frame.octets[1:3], "little") + by
    octets = frame.octets[:1] + number.to_bytes(2, "little") + frame.octets[3:]
    return Frame(frame.characteristic, octets)


async def test_a_context_that_is_added_later_amends_it_under_its_new_number(house: House) -> None:
    await told(house, *memory(50, 51))
    await confirm(house)
    await told(
        house,
        glucose(1, 60, NOON + HOUR),
        *[renumbered(frame, 1) for frame in memory(50, 51)],
        context(2),
    )
    messages = await house.publish()
    assert sorted(message.version for message in messages) == [1, 2]


async def test_where_a_clock_stands_still_each_number_is_a_measurement(house: House) -> None:
    """Equal stamps and values, and both are in the memory."""
    await told(house, glucose(1, 50))
    await told(house, glucose(1, 50), glucose(2, 50))
    assert len(await house.rows("SELECT 1 FROM readings")) == 2


async def test_a_number_that_is_not_told_again_proves_nothing(house: House) -> None:
    await told(house, glucose(1, 50))
    await told(house, glucose(2, 50))
    assert len(await house.rows("SELECT 1 FROM readings")) == 2
