"""What a meter says of itself: read at first contact, and anew when that is long ago."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drivers.api import Certification, DeviceInfo, Driver, PnpId, Session, Udi
from gateway.clock import OurClock
from gateway.outbox import devices
from gateway.outbox.devices import Device
from gateway.outbox.moments import to_us
from simulator.meters.information import certification, udi
from simulator.meters.meter import Identity
from simulator.meters.push import PushMeter
from tests.conversations.room import ANNA, HURRIED, Room, identity

FIRMWARE, SERIAL, CERTIFICATION, SYSTEM_ID = 0x2A26, 0x2A25, 0x2A2A, 0x2A23
LONG_AGO = timedelta(days=31)


def told(meter: PushMeter, short: int, octets: bytes) -> None:
    """Its maker's app has given it other firmware, or so."""
    meter.peripheral.information[short].value = octets


async def known(room: Room) -> Device:
    return await room.store(devices.by_id, 1)


async def info(room: Room) -> DeviceInfo:
    found = (await known(room)).info
    assert found is not None
    return found


async def age(room: Room, by: timedelta) -> None:
    """As if it had been read so much earlier."""
    read_at = (await known(room)).info_read_at
    assert read_at is not None
    earlier = to_us(read_at - by)
    await room.store(lambda db: db.execute("UPDATE devices SET info_read_at = ?", earlier))


async def met(room: Room, who: Identity | None = None) -> PushMeter:
    """A cuff that was read once."""
    cuff = room.cuff(who=who)
    await room.add(cuff, ANNA, slot=1)
    cuff.measure()
    assert await room.visit(cuff) == ["complete"]
    return cuff


def then(act: Callable[[], Awaitable[None]], driver: Driver) -> Driver:
    """The same, and when its conversation is over the meter does this."""

    async def converse(session: Session) -> None:
        await driver.converse(session)
        await act()

    return replace(driver, converse=converse)


@pytest.fixture
def doubted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OurClock:
    """A clock of ours that nothing has confirmed."""
    monkeypatch.setattr("gateway.clock.SYNCHRONISED", tmp_path / "never")
    return OurClock("ntp", "Europe/Copenhagen")


async def again(room: Room, cuff: PushMeter) -> list[str]:
    cuff.measure()
    return await room.visit(cuff)


async def test_all_that_a_meter_says_is_read_at_first_contact(room: Room) -> None:
    who = replace(
        identity("BP", 0x51),
        hardware="B2",
        software="7",
        certification=certification((6, 0), (0x8007, 7), regulated=True),
        udi=udi("(01)00844588003288(21)SIM-0081", "00844588003288", "2.51"),
        pnp_id=bytes.fromhex("02341278560301"),
    )
    await met(room, who)
    assert await info(room) == DeviceInfo(
        "Hjemgate Simulator",
        "BP",
        "SIM-0081",
        hardware="B2",
        firmware="1.0",
        software="7",
        system_id=who.system_id[::-1],
        certification=Certification("6.0", (0x8007, 7), regulated=True),
        udi=Udi("(01)00844588003288(21)SIM-0081", "00844588003288", "2.51"),
        pnp_id=PnpId(2, 0x1234, 0x5678, 0x103),
        clock="settable",
    )


async def test_new_firmware_is_known_once_what_is_known_is_a_month_old(room: Room) -> None:
    cuff = await met(room)
    told(cuff, FIRMWARE, b"2.0")
    before = await known(room)
    assert await again(room, cuff) == ["complete"]
    assert await known(room) == before
    await age(room, LONG_AGO)
    assert await again(room, cuff) == ["complete"]
    after = await known(room)
    assert after.info == replace(await info(room), firmware="2.0")
    assert after.identity == before.identity
    assert after.info_read_at is not None
    assert after.info_read_at >= (before.info_read_at or after.info_read_at)


async def test_what_is_empty_or_nonsense_now_leaves_what_was_known(room: Room) -> None:
    approved = replace(identity("BP", 0x51), certification=certification(regulated=True))
    cuff = await met(room, approved)
    before = await info(room)
    told(cuff, SERIAL, b"")
    told(cuff, CERTIFICATION, b"\xfe\x00experimental")
    told(cuff, FIRMWARE, b"2.0")
    await age(room, LONG_AGO)
    assert await again(room, cuff) == ["complete"]
    assert await info(room) == replace(before, firmware="2.0")


async def test_a_meter_of_another_system_id_says_nothing_for_the_first(room: Room) -> None:
    cuff = await met(room)
    before = await known(room)
    told(cuff, SYSTEM_ID, bytes(range(8)))
    told(cuff, FIRMWARE, b"2.0")
    await age(room, LONG_AGO)
    assert await again(room, cuff) == ["complete"]
    after = await known(room)
    assert (after.info, after.identity) == (before.info, before.identity)


async def test_a_meter_that_hangs_up_first_loses_nothing_and_is_asked_next_time(
    room: Room,
) -> None:
    cuff = await met(room)
    told(cuff, FIRMWARE, b"2.0")
    await age(room, LONG_AGO)
    room.drive([then(cuff.peripheral.hang_up, each) for each in HURRIED])
    assert await again(room, cuff) == ["complete"]
    assert len(await room.readings()) == 2
    assert (await info(room)).firmware == "1.0"
    room.drive(HURRIED)
    assert await again(room, cuff) == ["complete"]
    assert (await info(room)).firmware == "2.0"


async def test_a_meter_that_hangs_up_while_it_is_asked_loses_nothing(room: Room) -> None:
    cuff = await met(room)
    told(cuff, FIRMWARE, b"2.0")
    await age(room, LONG_AGO)
    manufacturer = cuff.peripheral.information[0x2A29]
    hanging: list[asyncio.Task[None]] = []

    def hang_up(*_: object) -> None:
        hanging.append(asyncio.get_running_loop().create_task(cuff.peripheral.hang_up()))

    manufacturer.on(manufacturer.EVENT_READ, hang_up)
    assert await again(room, cuff) == ["complete"]
    assert hanging
    assert len(await room.readings()) == 2
    assert (await info(room)).firmware == "1.0"


async def test_a_meter_that_does_not_answer_keeps_nobody(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.introduction.ASK_S", 0.2)
    cuff = await met(room)
    await age(room, LONG_AGO)

    async def hang() -> None:
        cuff.peripheral.deafen()

    room.drive([then(hang, each) for each in HURRIED])
    assert await again(room, cuff) == ["complete"]
    assert len(await room.readings()) == 2


async def test_without_a_trusted_clock_nothing_is_old(room: Room, doubted: OurClock) -> None:
    cuff = await met(room)
    told(cuff, FIRMWARE, b"2.0")
    await age(room, LONG_AGO)
    room.ours = doubted
    room.drive(HURRIED)
    assert await again(room, cuff) == ["complete"]
    assert (await info(room)).firmware == "1.0"


async def test_what_was_read_by_a_clock_that_was_not_trusted_is_read_anew(
    room: Room, doubted: OurClock
) -> None:
    trusted, room.ours = room.ours, doubted
    cuff = await met(room)
    assert (await known(room)).info_read_at is None
    told(cuff, FIRMWARE, b"2.0")
    room.ours = trusted
    assert await again(room, cuff) == ["complete"]
    assert (await info(room)).firmware == "2.0"
