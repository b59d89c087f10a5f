from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.scene import Gateway, Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path, records=200) as scene:
        yield scene


@pytest.fixture
async def gateway(scene: Scene) -> AsyncIterator[Gateway]:
    async with scene.gateway() as gateway:
        yield gateway
