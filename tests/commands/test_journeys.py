"""`hjemgate trace`, `replay` and `withdraw`, as a technician types them."""

from datetime import timedelta

from gateway.outbox import delivery
from tests.commands.terminal import hjemgate
from tests.control.desk import Desk
from tests.outbox.house import ANNA, House, cuff


async def confirmed(house: House, *systolic: int) -> None:
    await house.session(await house.meter(), [cuff(each, None) for each in systolic])
    await house.settle()
    for message in await house.publish():
        await house.receive(message)


async def test_a_reading_is_traced_in_plain_words(desk: Desk, house: House) -> None:
    await confirmed(house, 177)
    said = await hjemgate("trace", "r1", "--socket", desk.socket)
    assert said.code == 0
    head, steps = said.out.split("\n\n")
    assert "meter:    blood pressure 44:51" in head
    assert "version:  1, number 1" in head
    assert "now:      received" in head
    assert steps.splitlines() == [
        f"2026-11-24 12:00:00.000  {words}"
        for words in (
            "connected to the meter",
            "received from the meter, on disk",
            "decoded, its person and its time settled",
            "made into a message, number 1",
            "taken by the broker",
            "done: every receiver that must has confirmed it (last: care)",
            "receipt: stored by care",
        )
    ]
    assert "177" not in steps
    assert ANNA.value not in said.out


async def test_a_trace_as_json_has_its_facts(desk: Desk, house: House) -> None:
    await confirmed(house, 120)
    facts = (await hjemgate("trace", "r1", "--json", "--socket", desk.socket)).facts
    assert (facts["reading"]["state"], facts["steps"][0]["step"]) == ("received", "connected")


async def test_a_reading_that_is_not_there_is_one_line_and_1(desk: Desk) -> None:
    said = await hjemgate("trace", "r9", "--socket", desk.socket)
    assert (said.code, said.err) == (1, "hjemgate: there is no reading r9\n")


async def test_a_held_reading_says_why_it_waits(desk: Desk, house: House) -> None:
    await house.session(await house.meter(slot=1), [cuff(user=2)])
    await house.settle()
    said = await hjemgate("trace", "r1", "--socket", desk.socket)
    assert "reading:  without a name yet (r1)" in said.out
    assert "decoded; kept, waits for a technician: no person is bound to slot 2" in said.out


async def test_what_was_confirmed_goes_out_again_and_what_is_gone_is_named(
    desk: Desk, house: House
) -> None:
    await confirmed(house, 120, 121)
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(days=7), house.now())
    await house.session(1, [cuff(122, None)])
    await house.settle()
    for message in await house.publish():
        await house.receive(message)
    replay = ("replay", "--first", "1", "--socket", desk.socket)
    said = await hjemgate(*replay)
    assert said.out.splitlines() == [
        "1 reading goes out again.",
        "Not 1-2: their contents are purged.",
    ]
    facts = (await hjemgate(*replay, "--json")).facts
    assert facts == {"again": 0, "waiting": 1, "gone": [[1, 2]], "void": []}


async def test_a_moment_says_from_when_on(desk: Desk, house: House) -> None:
    await confirmed(house, 120)
    said = await hjemgate("replay", "--since", "2026-11-24", "--socket", desk.socket)
    assert said.out == "1 reading goes out again.\n"
    said = await hjemgate("replay", "--since", "yesterday", "--socket", desk.socket)
    assert said.code == 64


async def test_a_replay_of_nothing_in_particular_is_wrong_usage(desk: Desk) -> None:
    for words in ((), ("--first", "0"), ("--since", "2026-11-24", "--last", "2")):
        assert (await hjemgate("replay", *words, "--socket", desk.socket)).code == 64


async def test_a_reading_is_withdrawn_after_a_yes(desk: Desk, house: House) -> None:
    await confirmed(house, 177)
    asked = await hjemgate("withdraw", "r1", "--socket", desk.socket)
    assert (asked.code, "Say so with --yes." in asked.err) == (64, True)
    said = await hjemgate("withdraw", "r1", "--yes", "--socket", desk.socket)
    assert (said.code, said.out) == (0, "r1 goes out again, marked as entered in error.\n")
    again = await hjemgate("withdraw", "r1", "--yes", "--socket", desk.socket)
    assert (again.code, again.err) == (1, "hjemgate: r1 is withdrawn already\n")
    traced = await hjemgate("trace", "r1", "--socket", desk.socket)
    assert "withdrawn: goes out again, as entered in error" in traced.out
    undone = await hjemgate("withdraw", "r1", "--undo", "--yes", "--socket", desk.socket)
    assert undone.out == "r1 goes out again, in force.\n"
