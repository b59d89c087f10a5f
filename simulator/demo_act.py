"""What happens in a demonstration: a technician adds the meters, people measure, time passes."""

import asyncio
import os
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from simulator.child import LOOK_S
from simulator.demo_end import Outcome, prove
from simulator.demo_story import NAMES, Story
from simulator.meters.meter import Meter
from simulator.stage import Stage

PATIENCE_S = 45.0  # for one act, on a small computer under load
PAUSE_S = 1.5  # for whoever reads along

# A person has a meter from the moment it is added, and meters tell whole seconds.
ADDED_S = 2.5
MEMORY = timedelta(days=30)  # what the glucose meter stored is this patient's so far back
LINGER_S = 1.5  # a reading that came twice would be seen within
NOW_AND_THEN_S = 10.0
GLANCE_S = 0.01  # twenty readings are confirmed within a fraction of a second

GLUCOSE = "sig_glucose"
STORED = ("pending", "published")
ENDED = ("received", "held", "parked")  # a gateway does nothing more about these by itself

SLOTS: Mapping[str, int] = {"blood-pressure": 1, "weight": 1}  # these say which user measured


@dataclass(frozen=True, slots=True)
class Choices:
    outage: bool = False  # the broker goes away in the middle
    fast: bool = False  # no pauses
    rounds: int = 2  # how often everybody measures, if there is no outage


@dataclass(frozen=True, slots=True)
class Household:
    """Whose meter is whose: opaque identifiers, by driver."""

    patients: Mapping[str, str]

    @classmethod
    def of_two(cls, meters: Sequence[Meter]) -> "Household":
        one, other = (f"urn:uuid:{uuid.uuid4()}" for _ in range(2))
        theirs = ("weight", "thermometer")
        return cls({each.driver: other if each.kind in theirs else one for each in meters})


async def perform(here: Stage, story: Story, household: Household, choices: Choices) -> Outcome:
    """From the first meter to the last confirmation, and the proof."""
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(story.follow(here.steps()), name="hear the gateway")
        telling = group.create_task(story.tell(), name="tell the story")
        await story.begun.wait()
        await _add_meters(here, story, household)
        if choices.outage:
            await _day_with_outage(here, story, choices)
        else:
            await _day(here, story, choices)
        await asyncio.sleep(LINGER_S)
        hearing.cancel()
        telling.cancel()
    story.breathe()
    return await prove(here, story, household.patients)


async def _add_meters(here: Stage, story: Story, household: Household) -> None:
    story.heading("A technician adds the meters.")
    for meter in here.home.meters:
        words = ["--driver", meter.driver, "--address", meter.identity.address]
        words += ["--patient", household.patients[meter.driver]]
        if meter.kind in SLOTS:
            words += ["--slot", str(SLOTS[meter.kind])]
        if meter.kind == "glucose":
            words += ["--from", (datetime.now(UTC) - MEMORY).isoformat()]
        await here.command("devices", "add", *words)
    await asyncio.sleep(ADDED_S)


async def _day(here: Stage, story: Story, choices: Choices) -> None:
    story.heading(f"Everybody measures. {_memory(here)}")
    await _everybody(here, story, choices)
    await _until(here, _all_ended)
    for _ in range(1, choices.rounds):
        story.heading("And again, a little later.")
        await _everybody(here, story, choices)
        await _until(here, _all_ended)


async def _day_with_outage(here: Stage, story: Story, choices: Choices) -> None:
    story.heading(f"Everybody measures. {_memory(here)}")
    async with asyncio.TaskGroup() as group:
        group.create_task(_cut(here, story), name="outage")
        await _everybody(here, story, choices)
    await _until(here, _all_stored)
    story.heading("Without a broker people go on measuring.")
    await _everybody(here, story, choices)
    await _until(here, _all_stored)
    waiting = _measured(here) - await _rows(here, "received")
    story.heading(f"The broker comes back. {waiting} readings wait on the gateway's disk.")
    await here.broker.start()
    await _until(here, _all_ended)


async def _cut(here: Stage, story: Story) -> None:
    """Kill the broker when the first of many is on its way, with whatever it holds in memory."""
    while not story.took(GLUCOSE, "published", "received"):
        here.check()
        await asyncio.sleep(GLANCE_S)
    pid = here.broker.pid
    assert pid is not None  # noqa: S101 - it runs, or the gateway could not have sent anything
    os.kill(pid, signal.SIGKILL)
    await here.broker.stop()
    story.heading("The broker is killed, with whatever it had not passed on.")


def _memory(here: Stage) -> str:
    return (
        f"The {NAMES[GLUCOSE]} holds {len(here.home.glucose.measured)} records from the last days."
    )


async def _everybody(here: Stage, story: Story, choices: Choices) -> None:
    for meter in here.home.meters:
        story.measured(meter, meter.measure())
        await _pause(choices)


async def go_on(here: Stage, story: Story) -> NoReturn:
    """Life after the proof: now and then somebody measures, for ever."""
    turn = 0
    while True:
        await asyncio.sleep(NOW_AND_THEN_S)
        here.check()
        meter = here.home.meters[turn % len(here.home.meters)]
        story.measured(meter, meter.measure())
        turn += 1


async def _pause(choices: Choices) -> None:
    if not choices.fast:
        await asyncio.sleep(PAUSE_S)


async def _rows(here: Stage, *states: str) -> int:
    """How many readings the gateway has in these states; none named: in any."""
    rows: Mapping[str, int] = (await here.ask("status"))["status"]["rows"]
    return sum(count for state, count in rows.items() if not states or state in states)


def _measured(here: Stage) -> int:
    return sum(len(meter.measured) for meter in here.home.meters)


async def _all_stored(here: Stage) -> bool:
    return await _rows(here, *STORED, *ENDED) >= _measured(here)


async def _all_ended(here: Stage) -> bool:
    return await _rows(here, *ENDED) >= _measured(here)


async def _until(here: Stage, true: Callable[[Stage], Awaitable[bool]]) -> None:
    """Until that is so, or patience has come to an end: the proof will tell."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while loop.time() < deadline and not await true(here):
        here.check()
        await asyncio.sleep(LOOK_S)
