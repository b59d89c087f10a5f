"""`hjemgate run` as systemd runs it, and ends it, or worse."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

from gateway.outbox.database import Database
from simulator.child import Child, child
from tests.daemon.numbers import received, told
from tests.daemon.scene import Scene, answers, until

RUN = ("-m", "gateway", "run", "--config")
GOODBYE_S = 5.0  # promised


def running(scene: Scene) -> AbstractAsyncContextManager[Child]:
    return child("gateway", [*RUN, str(scene.configuration)], scene.folder / "gateway.log")


async def test_sigterm_ends_it_within_the_promised_time_and_rows_stay(scene: Scene) -> None:
    scene.home.cuff.measure()
    async with running(scene) as gateway:
        await answers(scene.socket)
        await scene.add(scene.home.cuff)
        await until(lambda: scene.home.cuff.stored == [])
        gateway.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GOODBYE_S):
            status = await gateway.process.wait()
    assert (status, "Traceback" in gateway.said()) == (0, False)
    await scene.broker.start()
    async with scene.receiver(), scene.gateway() as again:
        await again.until_states(received=1)
    assert received(scene.held()) == told(scene.home.cuff.measured)


async def test_sigterm_in_the_middle_keeps_all_that_was_confirmed(scene: Scene) -> None:
    cuff = scene.home.cuff
    now = datetime.now(UTC)
    for minutes in range(2000):
        cuff.measure(now - timedelta(minutes=minutes))
    async with running(scene) as gateway:
        await answers(scene.socket)
        await scene.add(cuff)
        await until(lambda: len(cuff.collected) > 20, look_s=0)
        gateway.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GOODBYE_S):
            status = await gateway.process.wait()
    assert (status, "Traceback" in gateway.said()) == (0, False)
    assert cuff.stored  # it was in the middle
    confirmed = {each.frames[0].octets for each in cuff.collected}
    assert confirmed <= set(await kept(scene))


async def test_sigkill_in_the_middle_loses_nothing_that_is_on_disk_or_at_the_meter(
    scene: Scene,
) -> None:
    cuff, glucose = scene.home.cuff, scene.home.glucose
    now = datetime.now(UTC)
    for minutes in range(60):
        cuff.measure(now - timedelta(minutes=minutes))
    async with running(scene) as gateway:
        await answers(scene.socket)
        await scene.add(glucose)
        glucose.wake()
        await scene.introduced(glucose)  # no window outlives the process that opened it
        await scene.add(cuff)
        await until(lambda: len(cuff.collected) > 5, look_s=0)
        gateway.process.kill()
        await gateway.process.wait()
    await until(lambda: cuff.peripheral.connection is None)
    waiting = [each.frames[0].octets for each in cuff.stored]
    assert waiting  # it was in the middle
    cuff.wake()
    glucose.wake()
    on_disk = await kept(scene)
    expected = [
        each
        for each in cuff.measured
        if each.frames[0].octets in on_disk or each.frames[0].octets in waiting
    ]
    await scene.broker.start()
    async with scene.receiver(), scene.gateway() as again:
        everything = expected + glucose.measured
        await again.until_states(received=len(everything))
    assert received(scene.held()) == told(everything)


async def kept(scene: Scene) -> Sequence[bytes]:
    """The octets of every frame on the disk of a gateway that is dead."""

    def frames(db: Database) -> list[bytes]:
        rows = db.execute("SELECT id, octets FROM frames").fetchall()
        return [db.open("frames", row, "octets", sealed) for row, sealed in rows]

    store = scene.opened()
    try:
        return await store(frames)
    finally:
        store.close()
