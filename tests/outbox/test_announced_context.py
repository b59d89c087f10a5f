"""A record that announces a context waits for it: the context may say that it is no glucose."""

import json
from datetime import timedelta

from drivers.api import Frame, sig_uuid
from gateway.outbox import frames, sessions
from tests.outbox.house import House, context, glucose


def announcing(sequence: int) -> Frame:
    """A record that says that a context follows."""
    octets = glucose(sequence).octets
    return Frame(sig_uuid(0x2A18), bytes([octets[0] | 0x10]) + octets[1:])


async def session(house: House, *octets: Frame, outcome: str = "complete") -> None:
    row = await house.store(sessions.begin, 1, house.now())
    await house.store(sessions.clock_event, row, "read", house.ours.local(), house.stamp())
    await house.store(frames.keep, 1, row, [(frame, house.stamp()) for frame in octets])
    await house.store(sessions.end, row, outcome, house.now())
    await house.settle()


async def test_a_ketone_that_was_cut_off_from_its_mark_is_never_sent(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, announcing(1), outcome="the link broke")
    assert await house.states() == []
    house.now.move(minutes=5)
    await session(house, announcing(1), context(1, meal=6))  # how some meters mark a ketone
    assert await house.due() == []
    assert await house.states() == ["parked"]


async def test_a_context_that_comes_later_is_joined_before_anything_is_sent(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, announcing(1), outcome="the link broke")
    house.now.move(minutes=5)
    await session(house, context(1))
    await session(house, glucose(2))
    message, plain = await house.due()
    assert message.version == 1
    assert len(json.loads(message.body)["entry"]) == len(json.loads(plain.body)["entry"]) + 1


async def test_a_whole_session_without_it_is_waited_for_no_longer(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, announcing(1), outcome="the link broke")
    house.now.move(minutes=5)
    await session(house, glucose(2))
    assert len(await house.due()) == 2


async def test_nor_is_a_day_without_a_whole_session(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, announcing(1), outcome="the link broke")
    house.now.move(hours=23)
    await session(house, announcing(1), outcome="the link broke")
    assert await house.due() == []
    house.now.at += timedelta(hours=2)
    await house.settle()
    (message,) = await house.due()
    assert message.version == 1


async def test_in_a_whole_session_nothing_waits(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, announcing(1))
    assert len(await house.due()) == 1


async def test_what_announces_nothing_does_not_wait(house: House) -> None:
    await house.meter("sig_glucose")
    await session(house, glucose(1), outcome="the link broke")
    assert len(await house.due()) == 1
