"""Somebody who uses the address of another's meter, has no key, and asks for none."""

from bumble.device import Connection

from drivers.api import Frame
from simulator.home import Home
from simulator.meters.meter import Habits, Meter
from simulator.meters.peripheral import OPEN, Peripheral, Properties
from simulator.meters.push import PushMeter

SERVICE, MEASUREMENT = 0x1810, 0x2A35


async def take_away(home: Home, meter: PushMeter) -> None:
    """Out of reach: nobody in the home's air hears *meter* any more."""
    await meter.peripheral.sleep()
    for each in list(home.air._link.controllers):
        if each.random_address.to_string(with_type_qualifier=False) == meter.identity.address:
            home.air.unplug(each)


class Stranger:
    """A cuff that tells *frame* to everybody who listens, without encryption, again and again."""

    def __init__(self, home: Home, victim: Meter, frame: Frame, habits: Habits) -> None:
        self.meetings = 0  # times that somebody connected, and went
        self._frame = frame
        self._peripheral = Peripheral(home.air, victim.identity, SERVICE, habits)
        self._measurement = self._peripheral.characteristic(
            MEASUREMENT, Properties.INDICATE, permissions=OPEN
        )
        self._peripheral.offer(SERVICE, [self._measurement])

    async def live(self) -> None:
        self._peripheral._device.on("connection", self._met)
        self._peripheral.wake(called=True)
        await self._peripheral.live(self._tell, lambda: True)

    async def _tell(self) -> None:
        if self._peripheral.subscribed(self._measurement):
            await self._peripheral.indicate(self._measurement, self._frame.octets)

    def _met(self, connection: Connection) -> None:
        connection.on(connection.EVENT_DISCONNECTION, self._parted)

    def _parted(self, _reason: int) -> None:
        self.meetings += 1
