"""The fleet in small: what the back-off promises a broker, and the picture of it."""

from xml.etree import ElementTree

import pytest

from tests.fleet.fleet import Broker, fixed, jittered
from tests.fleet.plot import plot

FLEET = 5_000
AWAY = Broker(away_s=600, accepts=5, refuses=5)
BLINK = Broker(away_s=10, accepts=5, refuses=5)


@pytest.mark.parametrize("broker", [AWAY, BLINK])
def test_everybody_is_back_some_time_and_no_faster_than_the_broker_lets_in(broker: Broker) -> None:
    course = jittered(FLEET, broker, people_a_minute=FLEET)
    assert sum(course.accepted) == FLEET
    assert max(course.accepted) == broker.accepts


@pytest.mark.parametrize("broker", [AWAY, BLINK])
def test_a_fleet_that_lost_its_broker_does_not_come_in_one_second(broker: Broker) -> None:
    assert jittered(FLEET, broker).peak < FLEET / 25


def test_a_broker_that_is_back_after_long_is_asked_little_more_than_it_can() -> None:
    assert jittered(FLEET, AWAY).peak_back < 8 * AWAY.accepts


def test_a_broker_that_says_goodbye_is_asked_less() -> None:
    goodbye = Broker(BLINK.away_s, BLINK.accepts, BLINK.refuses, goodbye=0x8B)
    assert jittered(FLEET, goodbye).peak < jittered(FLEET, BLINK).peak / 2


def test_without_back_off_every_gateway_tries_until_there_is_room() -> None:
    course = fixed(FLEET, AWAY, every_s=5)
    assert course.peak == FLEET / 5
    assert course.tries_each > 10 * jittered(FLEET, AWAY).tries_each


def test_who_measures_does_not_wait_as_long_as_the_others() -> None:
    roomy = Broker(away_s=600, accepts=100, refuses=0)
    waits = sorted(jittered(FLEET, roomy, people_a_minute=600).waits)
    assert len(waits) > 100
    assert waits[len(waits) // 2] == 0
    assert sum(waits) / len(waits) < 100


def test_the_picture_has_two_lines_for_each_course() -> None:
    courses = {"ours": jittered(FLEET, AWAY), "fixed": fixed(FLEET, AWAY, every_s=5)}
    lines = ElementTree.fromstring(plot(courses, minutes=30)).findall(  # noqa: S314  # our own
        "{http://www.w3.org/2000/svg}polyline"
    )
    assert len(lines) == 4
