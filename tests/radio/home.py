"""A virtual home and a gateway's radio in it, for tests: quick meters, short limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

from drivers.api import Frame, sig_uuid
from gateway.radio import Limits, Link, Radio
from simulator.home import Home
from simulator.meters.meter import Habits, Meter

QUICK = Habits(awake_s=10.0, idle_s=2.0, advertising_ms=20)
SHORT = Limits(connect_s=3.0, gatt_s=3.0, bond_s=3.0, close_s=2.0, pause_s=0.05, silence_s=5.0)
LONG_S = 10.0  # no test waits for as long as this unless something is broken

BLOOD_PRESSURE = sig_uuid(0x2A35)
GLUCOSE = sig_uuid(0x2A18)
CONTEXT = sig_uuid(0x2A34)
RACP = sig_uuid(0x2A52)
CURRENT_TIME = sig_uuid(0x2A2B)
MODEL = sig_uuid(0x2A24)


def radio_in(home: Home, state_dir: Path, limits: Limits = SHORT, links: int = 3) -> Radio:
    return Radio("bumble", home.adapter, state_dir, limits=limits, links=links)


async def heard(radio: Radio, meter: Meter) -> None:
    """Until the radio hears *meter*; then it stops scanning."""
    async with asyncio.timeout(LONG_S), aclosing(radio.advertisements()) as advertisements:
        async for advertisement in advertisements:
            if advertisement.address == meter.identity.address:
                return


@asynccontextmanager
async def linked(radio: Radio, meter: Meter) -> AsyncIterator[Link]:
    """A link to *meter*, which has something to say, and which may be bonded with."""
    await heard(radio, meter)
    await radio.expect({meter.identity.address: None})
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(radio.connect(meter.identity.address))


async def until(condition: Callable[[], bool]) -> None:
    """Counters have no event to wait for."""
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110 - as the sentence above says
            await asyncio.sleep(0.01)


async def take(link: Link, count: int) -> list[Frame]:
    """The next *count* frames."""
    taken: list[Frame] = []
    async with asyncio.timeout(LONG_S), aclosing(link.frames()) as frames:  # type: ignore[type-var] # an async generator behind the Protocol
        async for frame in frames:
            taken.append(frame)
            if len(taken) == count:
                return taken
    return taken


async def everything(link: Link) -> list[Frame]:
    """All frames until the link is lost."""
    async with asyncio.timeout(LONG_S):
        return [frame async for frame in link.frames()]
