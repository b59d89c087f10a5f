"""A full quota and a full disk: meters keep what they have, what arrives is taken, nothing goes."""

import asyncio
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from drivers.api import Frame
from gateway.outbox import delivery, frames, quota, sessions
from gateway.outbox import store as store_module
from gateway.outbox.database import Database
from gateway.outbox.store import Store, open_store
from tests.outbox.house import BLOOD_PRESSURE, House, cuff

QUOTA = 1 << 20
DISK_MIB = 10


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "ROOM_S", 0.01)


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[House]:
    """A house whose outbox may take one MiB."""
    house = House(tmp_path, store=open_store(tmp_path, tmp_path / "outbox.key", QUOTA))
    yield house
    house.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that can be filled; to mount it takes root, as in CI."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "hjemgate-test", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True)
    assert done.returncode == 0, f"this test mounts a tmpfs and must run as root: {done.stderr}"
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, left: int = 0) -> Path:
    """Others take everything but *left* octets."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - left))
    return filler


async def full(house: House) -> str | None:
    return await house.store(quota.full)


async def arrive(house: House, device: int, count: int, size: int = 400, at_once: int = 1) -> None:
    """One session of long octets that nobody can read."""
    session = await house.store(sessions.begin, device, house.now())
    for first in range(0, count, at_once):
        octets = [
            number.to_bytes(4, "big") + bytes(size) for number in range(first, first + at_once)
        ]
        arrived = [(Frame(BLOOD_PRESSURE, each), house.stamp()) for each in octets]
        await house.store(frames.keep, device, session, arrived)


async def kept(house: House) -> int:
    return int(str((await house.rows("SELECT count(*) FROM frames"))[0][0]))


async def until_full(house: House, device: int) -> None:
    while await full(house) is None:
        await arrive(house, device, 4, 2000, at_once=4)


async def test_from_95_percent_of_the_quota_no_meter_is_to_be_connected_to(narrow: House) -> None:
    device = await narrow.meter()
    assert await full(narrow) is None
    await until_full(narrow, device)
    assert await full(narrow) == "quota"


async def test_what_arrives_all_the_same_is_taken_and_then_waits_for_room(narrow: House) -> None:
    device = await narrow.meter()
    await narrow.session(device, [cuff()])
    await narrow.settle()
    await until_full(narrow, device)
    before = await kept(narrow)
    await arrive(narrow, device, 5)
    assert await kept(narrow) == before + 5
    async with asyncio.TaskGroup() as group:
        arriving = group.create_task(arrive(narrow, device, 500, 2000))
        while await narrow.store(Database.used_percent) < 97:
            pass
        await asyncio.sleep(0.1)
        assert not arriving.done()
        arriving.cancel()
    there = await kept(narrow)
    (message,) = await narrow.publish()
    assert await narrow.receive(message) == "received"  # what makes room again goes on
    assert await kept(narrow) == there


async def test_what_was_received_makes_room_at_once_for_what_waits(narrow: House) -> None:
    device = await narrow.meter()
    await narrow.session(device, [cuff(100 + n, None) for n in range(60)])
    await narrow.settle()
    await until_full(narrow, device)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(arrive(narrow, device, 60, 1000))
        while await narrow.store(Database.used_percent) < 97:
            pass
        for message in await narrow.due():
            await narrow.receive(message)
        async with asyncio.timeout(20):
            await waiting
    assert await narrow.rows("SELECT count(*) FROM readings WHERE state <> 'received'") == [(0,)]


async def test_above_half_of_the_quota_received_bodies_go_before_their_time(
    narrow: House,
) -> None:
    device = await narrow.meter()
    await narrow.session(device, [cuff(100 + n, None) for n in range(3)])
    await narrow.settle()
    (first, *_) = await narrow.publish()
    await narrow.receive(first)
    keep = timedelta(days=7)
    assert await narrow.store(quota.tidy, keep, narrow.now()) == 0
    while await narrow.store(Database.used_percent) < quota.EARLY_PERCENT:
        await arrive(narrow, device, 20, 2000, at_once=20)
    assert await narrow.store(quota.tidy, keep, narrow.now()) > 0
    assert await narrow.rows("SELECT count(*) FROM bodies") == [(2,)]  # nobody else holds these


async def test_a_meter_that_is_read_in_full_every_day_fills_nothing(narrow: House) -> None:
    device = await narrow.meter()
    memory = [cuff(100 + n, narrow.now() - timedelta(hours=n)) for n in range(5)]
    for _ in range(30):
        await narrow.session(device, memory)
        await narrow.settle()
        narrow.now.move(days=1)
        await narrow.store(quota.tidy, timedelta(days=7), narrow.now())
    counts = await narrow.rows("SELECT state, count(*) FROM frames GROUP BY state")
    assert counts == [("decoded", 5), ("repeat", 5 * 7)]
    ((told,),) = await narrow.rows("SELECT count(*) FROM journey WHERE step = 'repeat'")
    assert told == 5 * 7


async def test_pages_that_were_freed_count_as_room(narrow: House) -> None:
    device = await narrow.meter()
    await narrow.session(device, [cuff(100 + n, None) for n in range(40)])
    await narrow.settle()
    before = await narrow.store(Database.used_percent)
    for message in await narrow.publish():
        await narrow.receive(message)
    while await narrow.store(delivery.purge, timedelta(0), quota.ALWAYS):
        pass
    assert await narrow.store(Database.used_percent) < before


async def test_on_a_full_disk_the_reserve_takes_what_arrives(small_disk: Path) -> None:
    house = House(small_disk, store=open_store(small_disk, small_disk / "key", 64 << 20))
    device = await house.meter()
    await house.session(device, [cuff()])
    await house.settle()
    filler = fill(small_disk)
    assert await full(house) is None
    await arrive(house, device, 300)
    assert await full(house) == "disk"
    assert await kept(house) == 301
    (message,) = await house.publish()
    assert await house.receive(message) == "received"
    filler.unlink()
    await house.store(quota.tidy, timedelta(days=7), house.now())
    assert await full(house) is None
    house.close()


async def test_without_any_room_what_arrives_waits_and_nothing_is_lost(small_disk: Path) -> None:
    house = House(small_disk, store=open_store(small_disk, small_disk / "key", 64 << 20))
    device = await house.meter()
    filler = fill(small_disk)
    async with asyncio.TaskGroup() as group:
        arriving = group.create_task(arrive(house, device, 4000, 2000))
        while not arriving.done() and await full(house) is None:
            pass
        fill(small_disk)
        await asyncio.sleep(0.2)
        assert not arriving.done()
        filler.unlink()
        (small_disk / "filler").unlink(missing_ok=True)
        there = await kept(house)
        assert there < 4000
        arriving.cancel()
    assert await kept(house) >= there
    assert await house.rows("PRAGMA integrity_check") == [("ok",)]
    house.close()


def test_the_outbox_opens_on_a_full_disk(small_disk: Path) -> None:
    open_store(small_disk, small_disk / "key", QUOTA).close()
    fill(small_disk)
    store: Store = open_store(small_disk, small_disk / "key", QUOTA)
    assert asyncio.run(store(quota.full)) in (None, "disk")
    store.close()
