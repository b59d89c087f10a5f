"""In the virtual machine: from a meter's first advertisement to the commit, and a bare script's.

Prints a JSON object: seconds, once for each reading. Both meet the same bonded cuff over the same
bluetoothd, in turns, and do the same: hear it, connect, subscribe, commit what it sends.

    python -m tests.bench.contact
"""

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice

from gateway.collect import REST_S
from simulator.home import Home
from simulator.meters.push import PushMeter
from tests.bench.bare_collect import MEASUREMENT, database
from tests.vm.bluez import Bluetoothd, plugged_in
from tests.vm.conftest import PATIENT
from tests.vm.gateway import LONG_S, Gateway, running

TURNS, READINGS = 3, 4


async def main() -> None:
    folder = Path(tempfile.mkdtemp(dir="/run"))
    bluetoothd = Bluetoothd()
    bluetoothd.start()
    ours: list[float] = []
    bare: list[float] = []
    async with Home(folder / "hci", PATIENT) as home, plugged_in(home.air) as adapter:
        async with running(folder / "gateway", adapter) as gateway:
            await first_contact(home.cuff, gateway)
        for _ in range(TURNS):
            async with running(folder / "gateway", adapter) as gateway:
                ours += [await by_the_gateway(home.cuff, gateway) for _ in range(READINGS)]
            connection = database(str(folder / "bare.db"))
            async with scanning(home.cuff, adapter) as heard:
                bare += [await by_a_script(home.cuff, heard, connection) for _ in range(READINGS)]
            connection.close()
    bluetoothd.end()
    print(json.dumps({"ours": ours, "bare": bare}), flush=True)


async def first_contact(cuff: PushMeter, gateway: Gateway) -> None:
    await gateway.add(cuff)
    cuff.measure()
    await gateway.until_readings(1)
    await over(gateway)


async def by_the_gateway(cuff: PushMeter, gateway: Gateway) -> float:
    """Seconds from the meter's first advertisement until its frame is on disk."""
    frames = await count(gateway)
    began = measure(cuff)
    while await count(gateway) == frames:
        await gateway.store.changed(gateway.store.revision)
    spent = gateway.store.committed_at - began
    await over(gateway)
    return spent


async def count(gateway: Gateway) -> int:
    ((frames,),) = await gateway.rows("SELECT count(*) FROM frames")
    return int(frames)


async def over(gateway: Gateway) -> None:
    """Until it would meet the cuff again at once."""
    await gateway.until("SELECT count(*) FROM sessions WHERE ended_at IS NULL", (0,))
    await asyncio.sleep(REST_S)


def measure(cuff: PushMeter) -> float:
    """It advertises from now on. time.monotonic()."""
    cuff.measure()
    return time.monotonic()


@asynccontextmanager
async def scanning(cuff: PushMeter, adapter: str) -> AsyncIterator["asyncio.Queue[BLEDevice]"]:
    """All that is heard of *cuff*, for ever: the bare script scans as the gateway does."""
    heard: asyncio.Queue[BLEDevice] = asyncio.Queue()

    def one(device: BLEDevice, _: object) -> None:
        if device.address == cuff.identity.address:
            heard.put_nowait(device)

    async with BleakScanner(one, bluez={"adapter": adapter, "filters": {"RSSI": -127}}):
        yield heard


async def by_a_script(
    cuff: PushMeter, heard: "asyncio.Queue[BLEDevice]", connection: sqlite3.Connection
) -> float:
    """The same as `by_the_gateway`, by bleak and SQLite alone."""
    committed: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def arrived(_: object, octets: bytearray) -> None:
        connection.execute("INSERT INTO frames (octets) VALUES (?)", (bytes(octets),))
        committed.set_result(time.monotonic())

    while not heard.empty():
        heard.get_nowait()
    began = measure(cuff)
    async with asyncio.timeout(LONG_S):
        async with BleakClient(await heard.get()) as meter:
            await meter.start_notify(MEASUREMENT, arrived)
            spent = await committed - began
    await asyncio.sleep(REST_S)
    return spent


if __name__ == "__main__":
    asyncio.run(main())
