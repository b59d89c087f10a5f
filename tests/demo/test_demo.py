"""The demonstration itself: real processes, nothing shortened but the pauses for people."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from simulator.demo import Order, play
from simulator.demo_act import Choices, Household, perform
from simulator.demo_end import Outcome
from simulator.demo_story import Story
from simulator.stage import Stage, stage
from tests.contract.published import violations
from tests.demo.capture import Capture
from tests.fhir.rules import faults

ONE_ROUND = {"cuff": 1, "glucose meter": 21, "scale": 1, "thermometer": 1, "oximeter": 1}
TWO_ROUNDS = {"cuff": 2, "glucose meter": 22, "scale": 2, "thermometer": 2, "oximeter": 2}


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name: a socket's path has about a hundred characters."""
    with TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


def started_in(folder: Path) -> list[str]:
    """Processes that know *folder*, but for those that only look at it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if any(word.startswith(os.fsencode(folder)) for word in words):
            found.append(b" ".join(words).decode())
    return found


OBSERVATION = "up/observation"


async def overheard(here: Stage, out: io.StringIO) -> tuple[Outcome, Capture]:
    capture = Capture()
    household = Household.of_two(here.home.meters)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(capture.run(here), name="capture")
        await capture.listening.wait()
        story = Story(out, household.patients)
        outcome = await perform(here, story, household, Choices(fast=True, rounds=1))
        listening.cancel()
    return outcome, capture


async def test_every_message_of_a_demonstration_is_of_the_contract(folder: Path) -> None:
    out = io.StringIO()
    async with stage(folder) as here:
        outcome, capture = await overheard(here, out)
    assert outcome.complaints == []
    assert {row.meter: row.confirmed for row in outcome.tallies} == ONE_ROUND
    bundles = {each.body: dict(each.user_properties)["type"] for each in capture.of(OBSERVATION)}
    assert list(bundles.values()).count("hjemgate.observation.1") == sum(ONE_ROUND.values())
    assert capture.of("down/receipt")
    assert capture.of("up/status")
    for each in capture.messages:
        assert violations(each.topic, each.body, each.user_properties) == []
        assert (each.qos, each.utf8) == (1, True)
        kind = "application/fhir+json" if "observation" in each.topic else "application/json"
        assert each.content_type == kind
    for each in capture.of(OBSERVATION):
        assert faults(json.loads(each.body, parse_float=Decimal)) == []
    told = out.getvalue()
    for word in ("measures", "received", "stored", "sent", "confirmed"):
        assert f"  {word} " in told


async def run(folder: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        "demo",
        *words,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_an_outage_of_the_broker_changes_nothing(folder: Path) -> None:
    demo = await run(folder, "--outage", "--fast", "--json")
    answer, told = await demo.communicate()
    assert demo.returncode == 0, told.decode()
    result = json.loads(answer)
    assert (result["ok"], result["complaints"]) == (True, [])
    for row in result["meters"]:
        steps = [row[step] for step in ("measured", "stored", "published", "confirmed")]
        assert steps == [TWO_ROUNDS[row["meter"]]] * 4
        assert (row["lost"], row["doubled"]) == (0, 0)
    assert "The broker comes back." in told.decode()
    assert started_in(folder) == []


def test_a_receiver_that_loses_and_doubles_is_found_out(folder: Path) -> None:
    out = io.StringIO()
    careless: Sequence[str] = ("-m", "tests.demo.careless_receiver")
    status = play(Order(folder, Choices(fast=True, rounds=1), receiver_program=careless), out)
    told = out.getvalue()
    assert status == 1
    assert "NOT AS PROMISED" in told
    assert told.count("  lost: ") == told.count("  doubled: ") == 1
    assert started_in(folder) == []


async def test_nothing_is_left_of_a_demonstration_that_was_ended(folder: Path) -> None:
    demo = await run(folder, "--keep")
    assert demo.stdout is not None
    await demo.stdout.readuntil(b"Everybody measures")
    assert started_in(folder)
    demo.send_signal(signal.SIGINT)
    told, _ = await demo.communicate()
    assert demo.returncode == 1
    assert b"it was ended before it was done" in told
    assert started_in(folder) == []
