"""The live journey, and the words it is told in."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.control_client import Refused, watch
from gateway.outbox.trail import Step
from gateway.words import ago, line, sentence, shortened
from tests.control.desk import WAIT_S, Desk, served
from tests.outbox.house import NOON, House, cuff

Told = AsyncGenerator[dict[str, Any]]


def following(desk: Desk, after: int | None = None) -> Told:
    return watch(desk.socket, after)


def step(name: str, detail: str = "", driver: str | None = "sig_blood_pressure") -> Step:
    return Step(7, NOON, name, 1, driver, 1, None, detail)


async def test_a_reading_is_followed_to_the_receivers_word(desk: Desk, house: House) -> None:
    device = await house.meter()
    async with asyncio.timeout(WAIT_S), aclosing(following(desk)) as told:
        assert (await anext(told))["zone"] == "Europe/Copenhagen"
        await house.session(device, [cuff()])
        await house.settle()
        (message,) = await house.publish()
        await house.receive(message)
        steps = [await anext(told) for _ in range(5)]
    assert [each["step"] for each in steps] == [
        "kept",
        "stored",
        "rendered",
        "published",
        "received",
    ]
    assert {each["driver"] for each in steps} == {"sig_blood_pressure"}
    assert steps[-1]["detail"] == "care"


async def test_what_happened_before_is_told_to_whoever_asks(desk: Desk, house: House) -> None:
    await house.meter()
    async with asyncio.timeout(WAIT_S), aclosing(following(desk, after=0)) as told:
        assert (await anext(told))["last"] == 0
        assert (await anext(told))["step"] == "bound"


async def test_a_journey_longer_than_one_look_is_told_whole(desk: Desk, house: House) -> None:
    device = await house.meter()
    for minute in range(110):
        house.now.move(minutes=1)
        await house.session(device, [cuff(100 + minute, at=house.now())])
        await house.settle()
    (last,) = await house.rows("SELECT max(id) FROM journey")
    async with asyncio.timeout(WAIT_S), aclosing(following(desk, after=0)) as told:
        await anext(told)
        seen = 0
        while seen < int(str(last[0])):
            seen = (await anext(told))["id"]


async def test_no_value_and_no_person_is_told(desk: Desk, house: House) -> None:
    await house.session(await house.meter(), [cuff(177)])
    await house.settle()
    async with asyncio.timeout(WAIT_S), aclosing(following(desk, after=0)) as told:
        text = json.dumps([await anext(told) for _ in range(4)])
    assert "177" not in text
    assert "11111111-2222" not in text


async def test_a_watcher_may_say_a_line_and_go_on_asking(desk: Desk) -> None:
    reader, writer = await asyncio.open_unix_connection(str(desk.socket))
    writer.write(b'{"do": "watch"}\nenough\n{"do": "parked"}\n')
    answers = [json.loads(await reader.readline()) for _ in range(2)]
    writer.transport.abort()
    assert "last" in answers[0]
    assert answers[1]["rows"] == []


async def test_a_wrong_beginning_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="expected a number"):
        async with aclosing(following(desk, after=-4)) as told:
            await anext(told)


async def test_the_daemon_ends_though_somebody_watches(house: House, tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT_S):
        async with served(Desk(house, tmp_path)) as desk:
            told = following(desk)
            await anext(told)
        assert [each async for each in told] == []


async def test_an_unforeseen_error_in_an_answer_ends_the_daemon(
    house: House, tmp_path: Path
) -> None:
    """A table that is gone is nothing to answer in words: systemd starts a new process."""
    await house.store(lambda db: db.execute("DROP TABLE counters"))
    desk = Desk(house, tmp_path)
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await _asked(desk)


async def _asked(desk: Desk) -> None:
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(desk.control.serve(), name="control")
        await desk.control.ready()
        await desk.ask("status")


def test_a_step_is_told_in_plain_words_by_the_clock_on_the_wall() -> None:
    zone = ZoneInfo("Europe/Copenhagen")
    assert line(step("kept", "3"), zone) == "12:00:00  blood pressure  received from the meter"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (step("received", "care"), "confirmed by care"),
        (step("received"), "handed over; nobody confirms here"),
        (step("parked", "decode: {0}"), "set aside for a technician: decode: {0}"),
        (step("held"), "kept, waits for a technician"),
        (step("published"), "sent"),
    ],
)
def test_each_step_has_its_words(told: Step, words: str) -> None:
    assert sentence(told) == f"blood pressure  {words}"


def test_a_step_of_nobodys_concern_is_not_told() -> None:
    assert sentence(step("vacuumed")) is None
    assert line(step("vacuumed"), ZoneInfo("UTC")) is None


def test_a_meter_whose_driver_is_gone_is_still_a_meter() -> None:
    assert sentence(step("stored", driver="acme_9000")) == "meter           stored"
    assert sentence(step("forgotten", driver=None)) == "meter           meter forgotten"


def test_an_address_is_shortened_to_what_tells_meters_apart() -> None:
    assert shortened("C0:11:22:33:44:51") == "44:51"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-3, "just now"),
        (0, "just now"),
        (119, "119 min ago"),
        (120, "2 h ago"),
        (2879, "47 h ago"),
        (2880, "2 days ago"),
    ],
)
def test_a_while_is_told_in_round_words(minutes: int, words: str) -> None:
    assert ago(timedelta(minutes=minutes)) == words
