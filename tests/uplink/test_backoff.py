"""The rule of coming back, in virtual time."""

import pytest

from gateway.backoff import STABLE_S, Backoff


class Dice:
    """Shows the bounds that were asked for, and throws the upper one."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def __call__(self, low: float, high: float) -> float:
        self.asked.append((low, high))
        return high


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bound_doubles_up_to_the_cap() -> None:
    dice = Dice()
    backoff = Backoff(900.0, dice)
    for _ in range(100):
        backoff.delay()
    assert [high for _, high in dice.asked[:12]] == [
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        512,
        900,
        900,
    ]
    assert {low for low, _ in dice.asked} == {0.0}
    assert dice.asked[-1] == (0.0, 900.0)


def test_a_low_cap_is_kept() -> None:
    assert Backoff(0.5, Dice()).delay() == 0.5


def test_a_short_connection_does_not_start_the_row_anew() -> None:
    clock = Clock()
    backoff = Backoff(900.0, Dice(), clock)
    backoff.delay()
    backoff.delay()
    backoff.connected()
    clock.now += STABLE_S - 1
    assert backoff.delay() == 4


def test_a_stable_connection_starts_the_row_anew_where_a_fleet_spreads() -> None:
    clock = Clock()
    backoff = Backoff(900.0, Dice(), clock)
    for _ in range(20):
        backoff.delay()
    backoff.connected()
    clock.now += STABLE_S
    assert backoff.delay() == 64


def test_a_connection_counts_once() -> None:
    clock = Clock()
    backoff = Backoff(900.0, Dice(), clock)
    backoff.connected()
    clock.now += STABLE_S
    assert [backoff.delay(), backoff.delay()] == [64, 128]


@pytest.mark.parametrize(
    ("reason_code", "slow", "bounds"),
    [
        (0x89, False, (60.0, 900.0)),
        (0x96, False, (60.0, 900.0)),
        (0x97, False, (60.0, 900.0)),
        (0x9F, False, (60.0, 900.0)),
        (0x8B, False, (0.0, 300.0)),
        (0x87, True, (600.0, 900.0)),
        (None, True, (600.0, 900.0)),
        (0x88, False, (0.0, 1.0)),
    ],
)
def test_the_brokers_reason_is_heeded(
    reason_code: int | None, slow: bool, bounds: tuple[float, float]
) -> None:
    dice = Dice()
    Backoff(900.0, dice).delay(reason_code=reason_code, slow=slow)
    assert dice.asked == [bounds]


@pytest.mark.parametrize(
    ("reason_code", "slow", "least"),
    [
        (None, False, 0.0),
        (0x8B, False, 0.0),
        (0x87, True, 0.0),
        (0x89, False, 60.0),
        (0x97, False, 60.0),
        (0x9F, False, 60.0),
    ],
)
def test_whoever_has_measured_may_cut_a_wait_short_but_not_what_a_busy_broker_asks_for(
    reason_code: int | None, slow: bool, least: float
) -> None:
    backoff = Backoff(900.0, Dice())
    for _ in range(10):
        backoff.delay()
    backoff.delay(reason_code=reason_code, slow=slow)
    assert backoff.least_s == least


def test_a_wait_that_is_soon_over_is_not_cut_short() -> None:
    backoff = Backoff(900.0, Dice())
    cut = []
    while (wait := backoff.delay()) < 100:
        cut.append((wait, backoff.least_s))
    assert cut == [(1, None), (2, None), (4, None), (8, None), (16, 0), (32, 0), (64, 0)]


def test_after_an_early_try_one_wait_stands() -> None:
    backoff = Backoff(900.0, Dice())
    seen = []
    for _ in range(4):
        backoff.delay(slow=True)
        seen.append(backoff.least_s)
        if backoff.least_s is not None:
            backoff.hurried()
            backoff.connected()  # a connection that did not last is no reason to hurry again
    assert seen == [0.0, None, 0.0, None]


def test_a_stable_connection_pays_for_an_early_try() -> None:
    clock = Clock()
    backoff = Backoff(900.0, Dice(), clock)
    backoff.delay(slow=True)
    backoff.hurried()
    backoff.connected()
    clock.now += STABLE_S
    backoff.delay()
    assert backoff.least_s == 0.0
