"""`hjemgate pair`, first step: which meter, and which driver reads it."""

import asyncio
from pathlib import Path

from gateway.commands.command import fail
from gateway.commands.prompt import Dialogue
from gateway.commands.scan import described
from gateway.commands.talk import Facts
from gateway.control_client import Conversation, conversation
from gateway.words import meter


async def choose(
    path: Path, dialogue: Dialogue, address: str | None, driver: str | None, seconds: int
) -> tuple[str, str]:
    """Show what is heard until one is chosen, or the given *address* is heard; raises Failure."""
    dialogue.say("listening", "Listening. Put the meter into pairing mode, or measure with it.")
    async with conversation(path, "scan", seconds=seconds) as told:
        heard = await _chosen(dialogue, told, address)
    if heard is None:
        fail(
            "the meter was not heard: bring it close, put it into pairing mode as its manual says,"
            " and try again" + (", or name its --driver" if address else "")
        )
    return heard["address"], driver or await _fitting(dialogue, heard["drivers"])


async def _fitting(dialogue: Dialogue, fitting: list[str]) -> str:
    if len(fitting) == 1:
        return fitting[0]
    dialogue.must_be_there("more than one driver reads this meter: say which with --driver")
    for number, name in enumerate(fitting, 1):
        dialogue.mutter(f"  {number}  {meter(name)} ({name})")
    return fitting[await dialogue.number("Which driver?", len(fitting)) - 1]


async def _chosen(dialogue: Dialogue, told: Conversation, address: str | None) -> Facts | None:
    heard: list[Facts] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_hear(dialogue, told, address, heard), name="hearing")]
        if address is None:
            tasks.append(group.create_task(_pick(dialogue, heard), name="choice"))
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    return done.pop().result()


async def _hear(
    dialogue: Dialogue, told: Conversation, address: str | None, heard: list[Facts]
) -> Facts | None:
    """The one that was given, when it is heard; None when the time is over."""
    async for line in told.lines():
        if "heard" not in line:
            return None
        facts: Facts = line["heard"]
        if facts["address"] == address:
            return facts
        if address is None and all(facts["address"] != each["address"] for each in heard):
            heard.append(facts)
            dialogue.say("heard", f"  {len(heard)}  {described(facts)}", **facts)
    return None


async def _pick(dialogue: Dialogue, heard: list[Facts]) -> Facts:
    """The person types the number of a line."""
    dialogue.mutter("Type the number of your meter when you see it.")
    while True:
        typed = await dialogue.ask("")
        if typed.isdecimal() and 1 <= int(typed) <= len(heard):
            return heard[int(typed) - 1]
        dialogue.mutter(f"{typed!r} is none of these numbers")
