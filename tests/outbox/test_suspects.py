"""What was in hand when the program died: tried apart, parked if it kills again, else handled."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from drivers.api import Frame
from drivers.registry import all_drivers
from gateway import trial
from gateway.model import Record
from gateway.outbox import aside, frames, rendering
from gateway.process import BATCH, PATIENCE, Process
from gateway.suspects import Suspects
from tests.outbox.house import NOON, House, cuff

DEADLY = cuff(121, NOON - timedelta(hours=1))


def died(frames_in_hand: Sequence[Frame]) -> None:
    if DEADLY in frames_in_hand:
        os._exit(139)


def raised(_: object) -> None:
    raise MemoryError


def hung(_: object) -> None:
    time.sleep(60)


async def trial_of_the_deadly(step: Callable[..., None], /, *arguments: object) -> bool:
    """As `trial.survives`, in this process: one frame is known to kill."""
    if step is trial.decode:
        _, octets = arguments
        assert isinstance(octets, list)
        return DEADLY not in octets
    records, _ = arguments
    assert isinstance(records, list)
    return not any(deadly(each) for each in records)


def deadly(record: Record) -> bool:
    return record.reading.values[0].number == 121


def next_life(house: House) -> Process:
    """Of the program: the rows are the same, and nobody remembers anything."""
    drivers = all_drivers()
    suspects = Suspects(house.store, drivers, house.ours, trial_of_the_deadly)
    return Process(house.store, drivers, house.ours, house.process._terms, suspects)


async def in_hand(house: House) -> list[int]:
    """What a life takes in hand, in which it dies."""
    now = house.ours.now()
    return [kept.id for kept in await house.store(frames.take, (), now, PATIENCE, BATCH)]


async def work(process: Process) -> None:
    while await process.step():
        pass


async def measured(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(120 + n, NOON - timedelta(hours=n)) for n in range(3)])


async def test_frames_that_kill_in_their_trial_too_are_parked_and_the_rest_goes_on(
    house: House,
) -> None:
    await measured(house)
    assert len(await in_hand(house)) == 3
    process = next_life(house)
    await process.clear()
    await work(process)
    assert await house.rows("SELECT state FROM frames ORDER BY id") == [
        ("decoded",),
        ("parked",),
        ("decoded",),
    ]
    assert len(await house.due()) == 2


async def test_suspects_keep_nobody_waiting(house: House) -> None:
    await measured(house)
    await in_hand(house)
    await house.session(1, [cuff(130)])
    process = next_life(house)
    await work(process)  # nothing has been tried yet
    assert await house.rows("SELECT state, count(*) FROM frames GROUP BY 1") == [
        ("captured", 3),
        ("decoded", 1),
    ]
    await process.clear()
    await work(process)
    assert len(await house.due()) == 3


async def test_a_reading_that_kills_in_its_trial_too_is_parked(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(120), cuff(121, NOON - timedelta(hours=2)), cuff(122)])
    batch = await house.store(frames.take, (), house.ours.now(), PATIENCE, BATCH)
    await house.process.filing.handle(batch)
    assert len(await house.store(rendering.to_render, BATCH)) == 3  # and the program dies
    process = next_life(house)
    await process.clear()
    await work(process)
    assert await house.states() == ["pending", "parked", "pending"]
    assert len(await house.due()) == 2


async def test_what_passes_its_trials_is_parked_after_five_deaths_in_hand(house: House) -> None:
    device = await house.meter()
    await house.session(device, [cuff(120)])
    for _ in range(aside.CRASHES):
        process = next_life(house)
        await process.clear()
        cleared = tuple(process._suspects.frames)
        now = house.ours.now()
        assert await house.store(frames.take, (), now, PATIENCE, BATCH, cleared)
    await next_life(house).clear()
    assert await house.rows("SELECT state FROM frames") == [("parked",)]


async def test_death_by_chance_parks_nothing(house: House) -> None:
    """Killed twice over the same frames, with nothing wrong with them."""
    device = await house.meter()
    await house.session(device, [cuff(120), cuff(122, NOON - timedelta(hours=1))])
    for _ in range(2):
        process = next_life(house)
        await process.clear()
        cleared = tuple(process._suspects.frames)
        await house.store(frames.take, (), house.ours.now(), PATIENCE, BATCH, cleared)
    process = next_life(house)
    await process.clear()
    await work(process)
    assert await house.states() == ["pending", "pending"]


@pytest.mark.parametrize("step", [died, raised])
async def test_a_trial_tells_of_a_death_and_of_an_error(
    step: Callable[[Sequence[Frame]], None],
) -> None:
    assert not await trial.survives(step, [DEADLY])


async def test_a_trial_tells_of_a_step_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0.5)
    assert not await trial.survives(hung, DEADLY)


async def test_a_trial_passes_what_can_be_handled_and_what_is_refused() -> None:
    broken = DEADLY._replace(octets=b"\x02\x79")
    assert await trial.survives(trial.decode, "sig_blood_pressure", [DEADLY, broken])
