"""A damaged outbox is set aside, and what can be read goes on: nothing unsent is lost."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from drivers.api import Frame
from gateway.outbox import attention, delivery, devices
from gateway.outbox.database import PAGE_OCTETS, Database
from gateway.outbox.facts import facts
from gateway.outbox.migrations import migrations
from gateway.outbox.shapes import Column, Shape, shapes
from gateway.outbox.store import Unusable, open_store
from gateway.outbox.vault import KeyRefused
from tests.outbox.house import BLOOD_PRESSURE, NOON, House, context, cuff, glucose

CUFF, GLUCOSE = "C0:11:22:33:44:51", "C0:11:22:33:44:52"
MEMORY = [cuff(100 + n, NOON - timedelta(hours=n)) for n in range(12)]
RECORDS = [frame for n in range(1, 9) for frame in (glucose(n, 40 + n), context(n))]
PURGED, RECEIVED = 3, 3  # of the cuff's readings


async def furnish(folder: Path) -> None:
    """An outbox with rows in every state, cut short rather than closed well."""
    house = House(folder)
    cuffs = await house.meter(address=CUFF)
    meter = await house.meter("sig_glucose", address=GLUCOSE)
    await house.session(cuffs, MEMORY)
    await house.session(meter, RECORDS)
    await house.settle()
    messages = await house.publish()
    for message in messages[:PURGED]:
        await house.receive(message)
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(days=7), house.now())
    for message in messages[PURGED : PURGED + RECEIVED]:
        await house.receive(message)
    await house.session(cuffs, [Frame(BLOOD_PRESSURE, b"\x02")])  # nobody can read this
    await house.session(cuffs, [cuff(140, NOON, user=7)])  # nobody knows whose this is
    await house.settle()
    house.close()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    asyncio.run(furnish(folder))
    return folder


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: what is synced a thousand times need not wait for a disk."""
    with TemporaryDirectory(prefix="hjemgate-", dir="/dev/shm") as name:
        yield Path(name)


@pytest.fixture
def folder(furnished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "state"))


def path_of(folder: Path) -> Path:
    return folder / "outbox.db"


def overwrite(folder: Path, page: int, octets: bytes) -> None:
    with path_of(folder).open("r+b") as file:
        file.seek((page - 1) * PAGE_OCTETS)
        file.write(octets)


def page_count(folder: Path) -> int:
    return path_of(folder).stat().st_size // PAGE_OCTETS


def set_aside(folder: Path) -> list[Path]:
    return sorted(folder.glob("outbox.db.damaged-*"))


async def unsent(house: House) -> set[str]:
    """Public ids of everything that nobody has confirmed, after all that can be done is done."""
    await house.settle()
    rows = await house.rows(
        "SELECT public_id FROM readings WHERE state IN ('pending', 'published')"
    )
    house.now.move(days=1)
    due = {str(message.id) for message in await house.due()}
    assert due == {str(row[0]) for row in rows}
    return due


async def everything(house: House) -> set[str]:
    rows = await house.rows("SELECT public_id FROM readings WHERE public_id IS NOT NULL")
    return {str(row[0]) for row in rows}


async def tell_everything_again(house: House) -> None:
    """Each meter that is still known sends its whole memory, at the time of the first session."""
    house.now.at = NOON
    for address, memory in ((CUFF, MEMORY), (GLUCOSE, RECORDS)):
        device = await house.store(devices.find, address)
        if device is not None:
            await house.session(device.id, memory)
    await house.settle()


async def sound(folder: Path) -> tuple[set[str], set[str]]:
    """What is unsent, and what is known at all, in an outbox without damage."""
    house = House(folder)
    found = await unsent(house), await everything(house)
    house.close()
    return found


async def test_any_one_page_may_be_lost_and_every_unsent_reading_still_goes_out(
    furnished: Path, memory: Path
) -> None:
    expected, known = await sound(Path(shutil.copytree(furnished, memory / "sound")))
    chance = random.Random(20261125)  # noqa: S311 - to be repeated, not to be secret
    meters_lost = 0
    for page in range(1, page_count(furnished) + 1):
        folder = Path(shutil.copytree(furnished, memory / str(page)))
        overwrite(folder, page, chance.randbytes(PAGE_OCTETS))
        house = House(folder)
        sent, there = await unsent(house), await everything(house)
        if await house.rows("SELECT 1 FROM devices WHERE address LIKE 'lost%'"):
            meters_lost += 1  # what was not rendered yet waits for a human
        assert expected <= sent, f"page {page}"
        assert there <= known, f"page {page}: a reading under a second name"
        assert await house.rows("PRAGMA foreign_key_check") == []
        await tell_everything_again(house)
        assert await everything(house) <= known, f"page {page}: doubled by a meter that sent again"
        house.close()
        shutil.rmtree(folder)
    assert meters_lost == 1


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_overwritten_the_daemon_starts_and_makes_nothing_up(
    folder: Path, tmp_path: Path, seed: int
) -> None:
    _, known = await sound(Path(shutil.copytree(folder, tmp_path / "sound")))
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for _ in range(chance.randint(2, 12)):
        page, size = chance.randint(1, page_count(folder)), chance.choice((64, 512, PAGE_OCTETS))
        overwrite(folder, page, chance.randbytes(size))
    house = House(folder)
    await unsent(house)
    assert await everything(house) <= known
    house.close()


@pytest.mark.parametrize(
    "damage",
    [
        b"this is no database " * 400,
        bytes(20 * PAGE_OCTETS),
        b"SQLite format 3",
    ],
    ids=["garbage", "zeros", "half a header"],
)
async def test_a_file_that_nothing_can_be_read_from_is_set_aside_and_a_fresh_one_begun(
    folder: Path, damage: bytes
) -> None:
    path_of(folder).write_bytes(damage)
    house = House(folder)
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    assert await house.states() == ["pending"]
    house.close()


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
async def test_a_file_that_was_cut_short_gives_up_what_is_left(
    folder: Path, tmp_path: Path, share: float
) -> None:
    _, known = await sound(Path(shutil.copytree(folder, tmp_path / "sound")))
    octets = path_of(folder).read_bytes()
    path_of(folder).write_bytes(octets[: int(len(octets) * share)])
    house = House(folder)
    await unsent(house)
    assert await everything(house) <= known
    assert len(set_aside(folder)) == 1
    house.close()


async def test_the_damage_is_counted_dated_and_part_of_the_journey(folder: Path) -> None:
    overwrite(folder, 5, bytes(PAGE_OCTETS - 1) + b"x")
    house = House(folder)
    found = await house.store(facts)
    assert found.counters["outbox salvaged"] == 1
    assert found.salvaged_at is not None
    assert await house.rows("SELECT count(*) FROM journey WHERE step = 'salvaged'") == [(1,)]
    house.close()


async def test_a_salvaged_outbox_counts_anew_in_an_epoch_of_its_own(folder: Path) -> None:
    before = House(folder)
    epoch = before.store.epoch
    before.close()
    overwrite(folder, page_count(folder), b"\xff" * PAGE_OCTETS)
    (folder / "outbox.suspect").touch()
    house = House(folder)
    assert house.store.epoch != epoch
    await unsent(house)
    seqs = sorted(message.seq for message in await house.due())
    assert seqs == list(range(1, len(seqs) + 1))
    house.close()


async def test_meters_that_send_their_memory_again_after_it_double_nothing(folder: Path) -> None:
    (folder / "outbox.suspect").touch()
    house = House(folder)
    await house.settle()
    before = await house.rows("SELECT id, public_id, version FROM readings ORDER BY id")
    for address, memory in ((CUFF, MEMORY), (GLUCOSE, RECORDS)):
        device = await house.store(devices.find, address)
        assert device is not None
        await house.session(device.id, memory)
    await house.settle()
    assert await house.rows("SELECT id, public_id, version FROM readings ORDER BY id") == before
    house.close()


async def test_they_double_nothing_though_the_secret_behind_the_digests_is_lost(
    folder: Path,
) -> None:
    house = House(folder)
    ((page,),) = await house.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'")
    before = await everything(house)
    house.close()
    overwrite(folder, int(str(page)), bytes(PAGE_OCTETS))
    again = House(folder)
    for address, memory in ((CUFF, MEMORY), (GLUCOSE, RECORDS)):
        device = await again.store(devices.find, address)
        assert device is not None
        await again.session(device.id, memory)
    await again.settle()
    assert await everything(again) == before
    again.close()


async def test_a_meter_that_was_lost_and_is_added_again_doubles_nothing(folder: Path) -> None:
    house = House(folder)
    ((page,),) = await house.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'devices'")
    before = await everything(house)
    house.close()
    overwrite(folder, int(str(page)), b"\xff" * PAGE_OCTETS)
    again = House(folder)
    await again.session(await again.meter(address=CUFF), MEMORY)
    await again.settle()
    assert await everything(again) == before
    again.close()


async def test_a_body_that_spoiled_unseen_is_found_at_the_next_start_and_rendered_again(
    folder: Path, tmp_path: Path
) -> None:
    expected, _ = await sound(Path(shutil.copytree(folder, tmp_path / "sound")))
    house = House(folder)
    await house.store(spoil_a_body)
    house.now.move(days=1)
    with pytest.raises(KeyRefused, match="does not open"):
        await house.due()
    house.close()
    again = House(folder)
    assert await unsent(again) == expected
    again.close()


def spoil_a_body(db: Database) -> None:
    row, body = db.execute("SELECT reading_id, body FROM bodies ORDER BY 1 DESC").fetchone()
    with db.transaction():
        spoiled = body[:100] + bytes([body[100] ^ 1]) + body[101:]
        db.execute("UPDATE bodies SET body = ? WHERE reading_id = ?", spoiled, row)


async def test_what_waits_for_a_technician_still_waits(folder: Path) -> None:
    (folder / "outbox.suspect").touch()
    house = House(folder)
    await house.settle()
    assert len(await house.store(attention.attention, "parked")) == 1
    assert len(await house.store(attention.attention, "held")) == 1
    house.close()


def test_a_wrong_key_is_refused_and_nothing_set_aside_though_the_file_is_damaged(
    folder: Path,
) -> None:
    overwrite(folder, 5, b"\xff" * PAGE_OCTETS)
    (folder / "outbox.key").write_text("00" * 32)
    with pytest.raises(Unusable, match="not the key to this outbox"):
        open_store(folder, folder / "outbox.key")
    assert set_aside(folder) == []


async def test_an_exchange_of_files_that_was_cut_short_is_gone_on_with(folder: Path) -> None:
    (folder / "outbox.suspect").touch()
    house = House(folder)
    house.close()
    (damaged,) = set_aside(folder)
    shutil.move(path_of(folder), folder / "outbox.db.fresh")
    (folder / "outbox.db-wal").write_bytes(b"of the old file")
    again = House(folder)
    assert len(await again.states()) > 0
    again.close()
    assert damaged.exists()
    assert not (folder / "outbox.db.fresh").exists()


def test_damaged_files_do_not_pile_up(folder: Path) -> None:
    for day in range(4):
        (folder / f"outbox.db.damaged-2026110{day}T000000").write_bytes(b"old")
    (folder / "outbox.suspect").touch()
    open_store(folder, folder / "outbox.key").close()
    assert len(set_aside(folder)) == 2


def test_no_two_tables_look_alike() -> None:
    known = [
        shape
        for shape in shapes([script for _, script in migrations()])
        if any(column.row_id for column in shape.columns)
    ]
    for one in known:
        for other in known:
            assert one is other or not alike(one, other), f"{one.table} and {other.table}"


def alike(one: Shape, other: Shape) -> bool:
    """Whether some row could be one of either."""
    same_length = one.lengths & other.lengths
    pairs = list(zip(one.columns, other.columns, strict=False))
    return any(all(_both(*pair) for pair in pairs[:length]) for length in same_length)


def _both(one: Column, other: Column) -> bool:
    if one.row_id != other.row_id:
        return False
    return one.type is other.type or (one.nullable and other.nullable)
