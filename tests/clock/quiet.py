"""What Deliver needs beside a line, and has nothing to say here."""

import asyncio

from gateway.contract import Status
from gateway.uplink import Incoming


class Quiet:
    """Nothing to report."""

    async def document(self) -> Status:
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    async def due(self, _told: Status) -> Status:
        return await self.document()


async def obey_nobody(_: Incoming) -> None:
    """Commands are another test's matter."""
