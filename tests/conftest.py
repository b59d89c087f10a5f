"""What holds for every test."""

import asyncio
import inspect
from collections.abc import AsyncIterator

import pytest

TURNS = 5  # of the loop, for tasks that have been cancelled and are about to end


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """A task that outlives what started it fails the test: every one has an owner that waits."""
    yield
    ours = asyncio.current_task()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task is not ours]
    if left:
        pytest.fail(f"tasks were left behind: {left}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First in, last out: it looks when every other fixture has cleaned up."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "no_task_left")
