"""One reading's journey: every step with its time, no value and no person."""

import json
from datetime import timedelta
from typing import Any

import pytest

from gateway.control_client import Refused
from gateway.outbox import delivery, frames
from gateway.outbox.delivery import Ack
from tests.control.desk import Desk
from tests.outbox.house import ANNA, INFO, RESEND, House, context, cuff, glucose

SECOND = timedelta(seconds=1)


async def trace(desk: Desk, reading: str) -> dict[str, Any]:
    return await desk.ask("trace", reading=reading)


async def steps(desk: Desk, reading: str = "r1") -> list[str]:
    return [step["step"] for step in (await trace(desk, reading))["steps"]]


async def measured(house: House) -> None:
    await house.session(await house.meter(), [cuff(177)])
    await house.settle()


async def send(house: House, code: int = 0) -> None:
    """What is due goes out, and the broker takes a second to answer *code*."""
    sent = house.now()
    messages = await house.due()
    house.now.move(seconds=1)
    acks = [Ack(each.row, each.version, code, sent) for each in messages]
    await house.store(delivery.published, acks, RESEND, True, house.now())


async def test_a_journey_is_told_from_the_connection_to_the_receivers_word(
    desk: Desk, house: House
) -> None:
    await measured(house)
    (message,) = await house.due()
    began = house.now()
    await send(house)
    house.now.move(seconds=4)
    await house.receive(message)
    told = await trace(desk, "r1")
    assert [(each["step"], each["detail"], each["at"]) for each in told["steps"]] == [
        ("connected", "", began.isoformat()),
        ("heard", "", began.isoformat()),
        ("stored", "", began.isoformat()),
        ("rendered", "1", began.isoformat()),
        ("sent", "", began.isoformat()),
        ("published", "", (began + SECOND).isoformat()),
        ("received", "care", (began + 5 * SECOND).isoformat()),
        ("receipt", "stored by care", (began + 5 * SECOND).isoformat()),
    ]
    assert told["reading"] == {
        "row": "r1",
        "id": str(message.id),
        "version": 1,
        "seq": 1,
        "state": "received",
        "reason": None,
        "purged": False,
        "driver": "sig_blood_pressure",
        "meter": "blood pressure",
        "address": "44:51",
        "measured": began.isoformat(),
    }


async def test_every_sending_and_every_refusal_is_told(desk: Desk, house: House) -> None:
    await measured(house)
    await send(house, 0x10)
    house.now.move(hours=6)
    await house.store(delivery.untaken, [1], "the line was lost", house.now())
    await send(house)
    house.now.move(hours=6)
    await send(house)
    assert (await steps(desk))[4:] == [
        "sent",
        "unheard",
        "untaken",
        "sent",
        "published",
        "sent",
        "published",
    ]


async def test_a_broker_that_refuses_for_months_fills_no_journey(desk: Desk, house: House) -> None:
    await measured(house)
    for attempt in range(50):
        house.now.move(minutes=15)
        await house.store(delivery.untaken, [1, 99], f"refused {attempt}", house.now())
    told = (await trace(desk, "r1"))["steps"]
    assert [each["detail"] for each in told if each["step"] == "untaken"] == [
        "refused 0",
        "refused 49",
    ]
    assert await house.rows("SELECT count(*) FROM journey WHERE reading_id = 99") == [(0,)]


async def test_a_reading_is_found_by_how_its_id_begins(desk: Desk, house: House) -> None:
    await measured(house)
    (message,) = await house.due()
    for name in (str(message.id), str(message.id)[:8], str(message.id)[:8].upper()):
        assert (await trace(desk, name))["reading"]["row"] == "r1"


async def test_no_value_no_person_and_no_whole_address_is_told(desk: Desk, house: House) -> None:
    await measured(house)
    (message,) = await house.publish()
    await house.receive(message)
    told = await trace(desk, "r1")
    for step in told["steps"]:
        del step["at"]  # any digits may be in it
    del told["reading"]["id"], told["reading"]["measured"]
    for secret in ("177", "C0:11:22", ANNA.value, INFO.serial, INFO.manufacturer):
        assert secret not in json.dumps(told)


async def test_of_a_purged_reading_the_last_words_are_left(desk: Desk, house: House) -> None:
    await measured(house)
    (message,) = await house.publish()
    await house.receive(message)
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(days=7), house.now())
    told = await trace(desk, "r1")
    assert told["reading"]["purged"]
    assert [each["step"] for each in told["steps"]] == [
        "connected",
        "heard",
        "receipt",
        "published",
        "received",
    ]


async def test_a_time_by_a_clock_that_was_not_set_is_marked(desk: Desk, house: House) -> None:
    device = await house.meter()
    await house.session(device, [])
    await house.store(frames.keep, device, 2, [(cuff(), house.stamp(trusted=False))])
    await house.settle()
    (heard,) = [each for each in (await trace(desk, "r1"))["steps"] if each["step"] == "heard"]
    assert heard["detail"] == "untrusted"


async def test_an_amended_reading_tells_of_both_versions(desk: Desk, house: House) -> None:
    device = await house.meter("sig_glucose")
    await house.session(device, [glucose(7)])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    house.now.move(minutes=1)
    await house.session(device, [context(7)])
    await house.settle()
    told = await trace(desk, "r1")
    assert told["reading"]["version"] == 2
    assert [each["step"] for each in told["steps"]][-4:] == [
        "connected",
        "heard",
        "amended",
        "rendered",
    ]


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("r9", "there is no reading r9", 1),
        ("00000000", "no reading here", 1),
        ("f7", "has not become a reading", 64),
        ("12", "names no reading", 64),
        ("../../etc", "names no reading", 64),
    ],
)
async def test_what_is_not_found_is_said(desk: Desk, name: str, words: str, code: int) -> None:
    with pytest.raises(Refused, match=words) as refused:
        await trace(desk, name)
    assert refused.value.code == code
