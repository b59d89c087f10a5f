"""A house with a control socket, and what a technician at it can ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.registry import all_drivers
from gateway.config import Config, parse
from gateway.control import Control
from gateway.control_client import request
from gateway.door import Door
from gateway.guests import Guests
from gateway.health import Health
from gateway.live import Live
from gateway.onlookers import Onlookers
from gateway.pairing_window import Windows
from tests.outbox.house import House

WAIT_S = 10.0  # no test waits for so long unless something is broken


def config(folder: Path, **fhir: object) -> Config:
    """*fhir*: that section of it."""
    return parse(
        {
            "gateway": {
                "id": "gw-7f3ak2m9qd",
                "organisation": "1234",
                "state_dir": str(folder),
                "socket": str(folder / "run" / "control.sock"),
            },
            "broker": {"host": "localhost", "ca": "ca", "certificate": "pem", "key": "key"},
            "fhir": fhir,
        },
        "test",
    )


class Desk:
    """Control over one house. `changes` counts how often the list of meters changed.

    `guests` are those whom the radio was told to expect, `unbonded` whose bonds were deleted.
    """

    def __init__(self, house: House, folder: Path, **fhir: object) -> None:
        self.house = house
        self.config = config(folder, **fhir)
        self.socket = self.config.gateway.socket
        self.live = Live(house.now())
        self.health = Health(house.store, house.ours, self.config, self.live)
        self.changes = 0
        self.guests: Guests = {}
        self.unbonded: list[str] = []
        self.windows = Windows(self._expect)
        self.control = Control(
            self.socket,
            house.store,
            all_drivers(),
            house.ours,
            self.config,
            self.health,
            self._changed,
            Door(self.windows, Onlookers(all_drivers()), self._unbond),
        )

    async def _expect(self, guests: Guests) -> None:
        self.guests = guests

    async def _unbond(self, address: str) -> None:
        self.unbonded.append(address)

    async def _changed(self) -> None:
        self.changes += 1

    async def ask(self, do: str, **details: object) -> dict[str, Any]:
        return await request(self.socket, do, **details)


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[Desk]:
    """While inside, the socket answers."""
    async with asyncio.TaskGroup() as group:
        server = group.create_task(desk.control.serve(), name="control")
        await desk.control.ready()
        yield desk
        server.cancel()
