from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.control.desk import Desk, served
from tests.outbox.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest_asyncio.fixture
async def desk(house: House, tmp_path: Path) -> AsyncIterator[Desk]:
    async with served(Desk(house, tmp_path)) as desk:
        yield desk
