"""Meters that push: what is stored is indicated, once subscribed to, until it is confirmed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from drivers.api import Frame, Value, sig_uuid
from simulator.air import Air
from simulator.meters.meter import Habits, Identity, Measured
from simulator.meters.peripheral import Peripheral, Properties


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of pushing meter sends."""

    kind: str
    driver: str
    service: int
    measurement: int
    features: Mapping[int, bytes]
    plausible: Callable[[int], tuple[Value, ...]]  # the n-th reading, from 0
    encode: Callable[[tuple[Value, ...], datetime], bytes]


class PushMeter:
    """A Meter (see `simulator.meters.meter`). `stored` is what nobody has confirmed yet."""

    def __init__(
        self, air: Air, profile: Profile, identity: Identity, habits: Habits | None = None
    ) -> None:
        self.kind, self.driver, self.identity = profile.kind, profile.driver, identity
        self.measured: list[Measured] = []
        self.stored: list[Measured] = []
        self.collected: list[Measured] = []
        self.said: list[bytes] = []  # every indication, heard or not
        self.peripheral = Peripheral(air, identity, profile.service, habits or Habits())
        self._profile = profile
        self._measurement = self.peripheral.characteristic(profile.measurement, Properties.INDICATE)
        self.features = {
            short: self.peripheral.characteristic(short, Properties.READ, value)
            for short, value in profile.features.items()
        }
        self.peripheral.offer(profile.service, [self._measurement, *self.features.values()])

    def measure(self, at: datetime | None = None) -> Measured:
        at = at or datetime.now(UTC)
        shown = self.peripheral.clock.shows(at)
        values = self._profile.plausible(len(self.measured))
        octets = self._profile.encode(values, shown)
        measured = Measured(
            self.identity.name,
            self.identity.address,
            at,
            shown,
            values,
            (Frame(sig_uuid(self._profile.measurement), octets),),
            {},
        )
        self.measured.append(measured)
        self.stored.append(measured)
        self.peripheral.wake()
        return measured

    def wake(self) -> None:
        self.peripheral.wake(called=True)

    async def live(self) -> None:
        await self.peripheral.live(self._drain, lambda: bool(self.stored))

    async def _drain(self) -> None:
        while self.stored and self.peripheral.subscribed(self._measurement):
            self.said.append(self.stored[0].frames[0].octets)
            if not await self.peripheral.indicate(
                self._measurement, self.stored[0].frames[0].octets
            ):
                return
            self.collected.append(self.stored.pop(0))
