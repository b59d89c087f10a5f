import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.health import Health, Pace
from gateway.live import Live
from tests.control.desk import config
from tests.outbox.house import NOON, House

AT_ONCE = Pace(look_s=0.001, least_s=0.0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def live() -> Live:
    live = Live(NOON)
    live.uplink.connected_at = NOON
    live.radio.scanning = True
    live.radio.counters.heard = 1
    live.radio.counters.heard_at = time.monotonic()
    return live


@pytest.fixture
def health(house: House, live: Live, tmp_path: Path) -> Health:
    return Health(house.store, house.ours, config(tmp_path), live, AT_ONCE)
