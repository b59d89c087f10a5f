"""What happens in a demonstration: a technician adds the meters, people measure, time passes."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.store import readings
from simulator.child import LOOK_S
from simulator.demo_end import Tally, tallies
from simulator.demo_proof import Facts, judge, told_by_meter, told_by_receiver
from simulator.demo_story import NAMES, Story
from simulator.meters.meter import Meter
from simulator.stage import Stage

PATIENCE_S = 90.0  # with an outage the whole takes half of it on a small computer
PAUSE_S = 1.5  # for whoever reads along

# A person has a meter from the moment it is added, and meters tell whole seconds.
ADDED_S = 2.5
MEMORY = timedelta(days=30)  # what the glucose meter stored is this patient's so far back
LINGER_S = 1.5  # a reading that came twice would be seen within

SLOTS: Mapping[str, int] = {"blood-pressure": 1, "weight": 1}  # these say which user measured


@dataclass(frozen=True, slots=True)
class Choices:
    outage: bool = False  # the broker goes away in the middle
    fast: bool = False  # no pauses


@dataclass(frozen=True, slots=True)
class Outcome:
    """`complaints` says in words what is not as promised; empty: all is well."""

    tallies: Sequence[Tally]
    complaints: Sequence[str]


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
        story.heading("Everybody measures.")
        await _everybody(here, story, choices)
        if choices.outage:
            await _outage(here, story, choices)
        else:
            await _until_quiet(here)
            story.heading("And again, a little later.")
            await _everybody(here, story, choices)
        await _until_quiet(here)
        await asyncio.sleep(LINGER_S)
        hearing.cancel()
        telling.cancel()
    story.breathe()
    return await _proof(here, story, household)


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


async def _everybody(here: Stage, story: Story, choices: Choices) -> None:
    held = len(here.home.glucose.measured)
    if not here.home.glucose.collected:
        story.note(f"The {NAMES['sig_glucose']} holds {held} records from the last days.")
    for meter in here.home.meters:
        story.measured(meter, meter.measure())
        await _pause(choices)


async def _outage(here: Stage, story: Story, choices: Choices) -> None:
    """In the middle: some readings are confirmed, others on their way, others not yet taken."""
    while not any(step == "received" for _, step in story.steps):
        here.check()
        await asyncio.sleep(LOOK_S)
    story.heading("The broker goes away.")
    await here.broker.stop()
    await _everybody(here, story, choices)
    while not await _all_stored(here):
        here.check()
        await asyncio.sleep(LOOK_S)
    waiting = (await _rows(here)) - (await _rows(here, "received"))
    story.heading(f"The broker comes back. {waiting} readings wait on the gateway's disk.")
    await here.broker.start()


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
    return await _rows(here, "pending", "published", "received", "held", "parked") >= _measured(
        here
    )


async def _until_quiet(here: Stage) -> None:
    """Until every reading has come to an end at the gateway, or patience has."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while asyncio.get_running_loop().time() < deadline:
        here.check()
        if await _rows(here, "received", "held", "parked") >= _measured(here):
            return
        await asyncio.sleep(LOOK_S)


async def _proof(here: Stage, story: Story, household: Household) -> Outcome:
    measured: list[Facts] = [
        told_by_meter(meter, household.patients[meter.driver], each)
        for meter in here.home.meters
        for each in meter.measured
    ]
    held = [told_by_receiver(each.body) for each in readings(here.held)]
    verdict = judge(measured, held)
    rows = tallies(here.home.meters, story, verdict)
    complaints = list(verdict.complaints)
    confirmed = await _rows(here, "received")
    if confirmed != len(measured) or await _rows(here) != len(measured):
        status = (await here.ask("status"))["status"]
        complaints.append(f"the gateway's own count: {status['rows']}, measured: {len(measured)}")
    complaints += [f"{row.meter}: not every step was seen" for row in rows if not row.clean]
    return Outcome(rows, complaints)
