"""The neighbours: devices that advertise all day and are nothing to us."""

import asyncio
import random
from collections import deque

from dbus_fast import Variant

from tests.fakes.bluez_mind import Bluez
from tests.fakes.bluez_objects import ADAPTER_PATH

CROWD = 40  # strangers that can be heard at a time
FRESH_EVERY = 50  # one advertisement in so many comes from an address not heard before
TICK_S = 0.02
BURST = 20.0  # at once: dbus-fast 5.2 takes a full socket for the end of the connection
COMPANIES = (0x004C, 0x0006, 0x0075, 0x00E0)  # Bluetooth SIG company identifiers, common ones


class Strangers:
    """Seeded: two runs hear the same neighbours."""

    def __init__(self, bluez: Bluez) -> None:
        self.per_second = 0.0
        self.fresh_every = FRESH_EVERY
        self.sent = 0
        self._bluez = bluez
        self._random = random.Random(20)  # noqa: S311  # neighbours, not secrets
        self._crowd: deque[str] = deque()

    async def run(self) -> None:
        due, clock = 0.0, asyncio.get_running_loop()
        before = clock.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = clock.time()
            if self._bluez.scanning:
                due += (now - before) * self.per_second
            before = now
            due = min(due, BURST)
            while due >= 1:
                due -= 1
                self._one()

    def _one(self) -> None:
        self.sent += 1
        if len(self._crowd) < CROWD or self.sent % self.fresh_every == 0:
            self._appear()
            return
        self._crowd.rotate(1)
        device = self._bluez.tree.device(self._crowd[0])
        if device is not None:
            device.update(
                RSSI=self._random.randint(-95, -40), ManufacturerData=self._manufacturer_data()
            )

    def _appear(self) -> None:
        octets = bytearray(self._random.randbytes(6))
        octets[0] = octets[0] & 0x3F | 0x40  # the two highest bits 01: a resolvable address
        address = ":".join(f"{octet:02X}" for octet in octets)
        path = f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}"
        if self._bluez.tree.device(path) is not None:
            return
        if len(self._crowd) >= CROWD:
            self._bluez.tree.withdraw(self._crowd.pop())
        self._crowd.appendleft(path)
        self._bluez.tree.show_device(
            path,
            address,
            address.replace(":", "-"),
            RSSI=self._random.randint(-95, -40),
            ManufacturerData=self._manufacturer_data(),
        )

    def _manufacturer_data(self) -> dict[int, Variant]:
        octets = self._random.randbytes(self._random.randint(8, 24))
        return {self._random.choice(COMPANIES): Variant("ay", octets)}
