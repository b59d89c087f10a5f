from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.scene import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene
