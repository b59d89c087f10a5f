"""Waiting for facts that have no event."""

import asyncio
from collections.abc import Awaitable, Callable

LONG_S = 60.0  # no test waits for as long as this unless something is broken


async def until_true(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LONG_S):
        while not await fact():  # noqa: ASYNC110 - as the sentence above says
            await asyncio.sleep(0.02)
