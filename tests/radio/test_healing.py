"""The ladder of cures: how it climbs, when it waits, and what it never does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.api import LinkError
from gateway.link import Counters
from gateway.radio.healing import REST_S, SETTLE_S, Healer, Ladder, Part, Rung
from tests.radio.home import LONG_S

TOP = Rung.RESTART
LONG_AFTER = 10_000.0


def climb(ladder: Ladder, now: float, at_least: Rung = Rung.RESCAN, at_most: Rung = TOP) -> Rung:
    rung = ladder.climb(now, at_least, at_most)
    assert rung is not None
    return rung


def test_evidence_upon_evidence_climbs_to_the_top() -> None:
    ladder, now = Ladder(), 0.0
    climbed = []
    for _ in Rung:
        climbed.append(climb(ladder, now))
        now += SETTLE_S[climbed[-1]]
    assert climbed == list(Rung)


def test_each_cure_is_given_its_time() -> None:
    ladder, now = Ladder(), SETTLE_S[Rung.RESCAN]
    climb(ladder, 0.0)
    assert climb(ladder, now) is Rung.REBUILD
    assert ladder.climb(now + SETTLE_S[Rung.REBUILD] - 0.1, Rung.RESCAN, TOP) is None
    assert climb(ladder, now + SETTLE_S[Rung.REBUILD]) is Rung.POWER_CYCLE


def test_health_in_between_begins_at_the_bottom() -> None:
    ladder = Ladder()
    climb(ladder, 0.0)
    ladder.well()
    assert climb(ladder, LONG_AFTER) is Rung.RESCAN


def test_evidence_that_only_a_dear_cure_can_help_goes_straight_to_it() -> None:
    assert climb(Ladder(), 0.0, at_least=Rung.POWER_CYCLE) is Rung.POWER_CYCLE


def test_it_does_not_wait_for_a_cheap_cure_either() -> None:
    ladder = Ladder()
    climb(ladder, 0.0)
    assert climb(ladder, 0.1, at_least=Rung.POWER_CYCLE) is Rung.POWER_CYCLE


def test_a_dear_cure_is_not_repeated_at_once() -> None:
    ladder = Ladder()
    climb(ladder, 0.0, at_least=Rung.RESTART)
    again = climb(ladder, SETTLE_S[Rung.RESTART], at_least=Rung.RESTART)
    assert again is Rung.POWER_CYCLE
    assert climb(ladder, REST_S[Rung.RESTART], at_least=Rung.RESTART) is Rung.RESTART


def test_a_radio_with_cheap_cures_only_gets_those() -> None:
    ladder = Ladder()
    cures = [climb(ladder, now, at_most=Rung.RESCAN) for now in (0.0, 10.0, LONG_AFTER)]
    assert set(cures) == {Rung.RESCAN}


class Patient:
    """Ill or well as the test says; remembers what was done to it."""

    def __init__(self) -> None:
        self.links = 0
        self.highest = Rung.RESTART
        self.wrong: tuple[str, Rung] | None = None
        self.refuses = False
        self.cured: asyncio.Queue[Rung] = asyncio.Queue()

    def ailment(self) -> tuple[str, Rung] | None:
        return self.wrong

    async def cure(self, rung: Rung) -> None:
        self.cured.put_nowait(rung)
        if self.refuses:
            raise LinkError("no")


@asynccontextmanager
async def healing(patient: Patient, counters: Counters) -> AsyncIterator[Healer]:
    nothing = dict.fromkeys(Rung, 0.0)
    healer = Healer(patient, counters, look_s=0.01, ladder=lambda: Ladder(nothing, nothing))
    async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
        task = group.create_task(healer.run())
        yield healer
        task.cancel()


@pytest.fixture
def patient() -> Patient:
    return Patient()


async def test_each_cure_is_counted_by_its_name(patient: Patient) -> None:
    counters = Counters()
    async with healing(patient, counters) as healer:
        for rung in Rung:
            healer.ill(Part.HEARING, "a scan was refused")
            assert await patient.cured.get() is rung
    assert counters.cures == {rung.words: 1 for rung in Rung}


async def test_silence_is_no_evidence(patient: Patient) -> None:
    async with healing(patient, counters := Counters()):
        await asyncio.sleep(0.05)
    assert counters.cures == {}


async def test_a_link_that_stands_is_not_healed_away(patient: Patient) -> None:
    patient.links = 1
    async with healing(patient, Counters()) as healer:
        for _ in range(4):
            healer.ill(Part.HEARING, "connects have failed")
            assert await patient.cured.get() is Rung.RESCAN


async def test_what_no_link_survives_is_cured_whatever_bleak_believes(patient: Patient) -> None:
    patient.links = 1
    patient.wrong = ("bluetoothd is gone", Rung.RESTART)
    async with healing(patient, Counters()):
        assert await patient.cured.get() is Rung.RESTART


async def test_a_cure_that_fails_is_followed_by_the_next(patient: Patient) -> None:
    patient.refuses = True
    async with healing(patient, Counters()) as healer:
        for rung in Rung:
            healer.ill(Part.HEARING, "a scan was refused")
            assert await patient.cured.get() is rung


async def test_hearing_well_does_not_hide_that_nobody_can_be_connected(patient: Patient) -> None:
    async with healing(patient, Counters()) as healer:
        for rung in Rung:
            healer.well(Part.HEARING)
            healer.ill(Part.CONNECTING, "2 connects in a row have failed")
            assert await patient.cured.get() is rung
