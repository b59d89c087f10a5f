from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backend.fut.target import Fut as Target
from backend.store import open_database
from tests.fut import plans, standin
from tests.fut.plans import Row
from tests.fut.scene import Disk, connected
from tests.fut.standin import Fut


@pytest.fixture
def fut() -> Iterator[Fut]:
    """It asks for a blood pressure, a pulse and a weight at any time."""
    rows = (
        Row(plans.PANEL, request="4001"),
        Row(plans.PULSE, request="4002"),
        Row(plans.WEIGHT, request="4003"),
    )
    with standin.running(Fut(rows)) as running:
        yield running


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    opened = Disk(open_database(tmp_path / "store.db"))
    yield opened
    opened.database.close()


@pytest.fixture
async def target(fut: Fut, disk: Disk) -> AsyncIterator[Target]:
    async with connected(fut, disk) as opened:
        yield opened
