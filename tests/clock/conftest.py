from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import clock
from tests.clock.home import Home


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    """Its gateway's clock is not synchronised yet."""
    home = Home(tmp_path)
    monkeypatch.setattr(clock, "SYNCHRONISED", home.flag)
    await home.furnish()
    yield home
    home.close()
