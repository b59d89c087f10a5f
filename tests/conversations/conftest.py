from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conversations.room import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with Room(tmp_path) as room:
        yield room
