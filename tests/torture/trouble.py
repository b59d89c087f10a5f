"""What befalls a home at random moments: programs die, links break, the disk fills, clocks jump."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta

from simulator.meters.meter import Meter
from tests.torture.programs import peripherals
from tests.torture.scene import Scene

EARLY = 0.15  # of the gateway's lives end before it is ready
EARLY_S = 0.9  # that early
LIFE_S = 1.6  # a life lasts so long at most, once it is ready
READY_S = 30.0  # patience with a gateway that cannot start; a full disk ends within
OTHERS_S = (0.5, 5.0)  # between the deaths of the broker, and of the receiver
BROKER_AWAY_S = 0.6
CUT_S, PULL_S = 1.5, 40.0  # a meter hangs up; somebody pulls the adapter: mean pauses
FULL_EVERY_S, FULL_S = 25.0, 2.0
LOST_CLOCK = 0.12  # of the gateway's lives begin before its clock is synchronised
UNKNOWN_S = 1.2  # for so long at most
# A clock without a battery is behind; one with a poor one may be ahead.
WRONG = (timedelta(days=-900), timedelta(days=2))


@dataclass(slots=True)
class Count:
    """What was done so far."""

    wanted: int
    kills: dict[str, int] = field(
        default_factory=lambda: {"gateway": 0, "broker": 0, "receiver": 0}
    )
    cuts: int = 0
    pulls: int = 0
    full: int = 0
    steps: int = 0

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    @property
    def enough(self) -> bool:
        return self.killed >= self.wanted


class Trouble:
    """Every kind of trouble draws its own lots from *seed*."""

    def __init__(self, here: Scene, seed: str, count: Count) -> None:
        self._here, self._seed, self.count = here, seed, count

    def _lots(self, kind: str) -> random.Random:
        return random.Random(f"{self._seed}/{kind}")

    async def all(self) -> None:
        """Until there have been kills enough; then everything is whole again."""
        async with asyncio.TaskGroup() as group:
            rest = [
                group.create_task(what, name=name)
                for name, what in (
                    ("kill the broker", self._kill_broker()),
                    ("kill the receiver", self._kill_receiver()),
                    ("cut links", self._cut_links()),
                    ("pull the adapter", self._pull_adapter()),
                    ("fill the disk", self._fill_disk()),
                    ("set the clock right", self._synchronise()),
                )
            ]
            await self._kill_gateway()
            for task in rest:
                task.cancel()
        if self._here.clock:
            await self._here.clock.synchronise()

    async def _kill_gateway(self) -> None:
        here, lots = self._here, self._lots("gateway")
        ready = True  # the life in which the meters were paired
        while not self.count.enough:
            if not ready and lots.random() < EARLY:
                await asyncio.sleep(lots.uniform(0.0, EARLY_S))
            else:
                if not ready:
                    await self._ready()
                await asyncio.sleep(lots.uniform(0.0, LIFE_S))
            if here.gateway.kill():
                self.count.kills["gateway"] += 1
            here.forget_ready()
            await self._wrong_clock(lots)
            await here.gateway.started_again()
            ready = False

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(READY_S):
                await self._here.until_ready()
        except TimeoutError:
            return

    async def _wrong_clock(self, lots: random.Random) -> None:
        """The life that begins now may have it; the last one's has come right again."""
        clock = self._here.clock
        if clock is None:
            return
        await clock.synchronise()
        if lots.random() < LOST_CLOCK:
            self.count.steps += 1
            clock.lose(lots.uniform(0.0, 1.0) * (WRONG[1] - WRONG[0]) + WRONG[0])

    async def _synchronise(self) -> None:
        """A wrong clock comes right within a life, or that life does not see it."""
        clock, lots = self._here.clock, self._lots("synchronised")
        while clock is not None:
            await asyncio.sleep(lots.uniform(0.0, UNKNOWN_S))
            if not clock.right:
                await clock.synchronise()

    async def _kill_broker(self) -> None:
        here, lots = self._here, self._lots("broker")
        try:
            while True:
                await asyncio.sleep(lots.uniform(*OTHERS_S))
                await here.broker.kill()
                self.count.kills["broker"] += 1
                await asyncio.sleep(lots.uniform(0.0, BROKER_AWAY_S))
                await here.broker.start()
        finally:
            if here.broker.pid is None:
                await here.broker.start()

    async def _kill_receiver(self) -> None:
        lots = self._lots("receiver")
        while True:
            await asyncio.sleep(lots.uniform(*OTHERS_S))
            if self._here.receiver.kill():
                self.count.kills["receiver"] += 1

    async def _cut_links(self) -> None:
        lots = self._lots("links")
        while True:
            await asyncio.sleep(lots.expovariate(1 / CUT_S))
            linked = [each for each in peripherals(self._here.home) if each.connection]
            if linked:
                self.count.cuts += 1
                await lots.choice(linked).hang_up()

    async def _pull_adapter(self) -> None:
        lots = self._lots("adapter")
        while True:
            await asyncio.sleep(lots.expovariate(1 / PULL_S))
            self.count.pulls += 1
            self._here.home.air.cut()

    async def _fill_disk(self) -> None:
        disk, lots = self._here.disk, self._lots("disk")
        if disk is None:
            return
        try:
            while True:
                await asyncio.sleep(lots.expovariate(1 / FULL_EVERY_S))
                self.count.full += 1
                disk.fill()
                await asyncio.sleep(lots.uniform(0.0, FULL_S))
                disk.free()
        finally:
            disk.free()


async def people(here: Scene, seed: str, mean_s: float) -> None:
    """For ever: everybody measures, whatever happens."""

    async def one(meter: Meter) -> None:
        lots = random.Random(f"{seed}/{meter.identity.name}")
        while True:
            await asyncio.sleep(lots.expovariate(1 / mean_s))
            meter.measure()

    async with asyncio.TaskGroup() as group:
        for meter in here.home.meters:
            group.create_task(one(meter), name=f"somebody with {meter.identity.name}")
