"""The clock segments are lost: they are measured anew, and no reading gets a second name."""

from datetime import timedelta
from pathlib import Path

from drivers.api import Frame
from gateway.outbox.database import PAGE_OCTETS
from tests.outbox.house import NOON, House, cuff

YEAR = timedelta(days=365)
DAY = timedelta(days=1)
CUFF = 1
# The cuff's clock was a year behind when these were taken, and was then set right.
BEHIND = [cuff(100 + n, NOON - YEAR - n * DAY) for n in range(6)]
RIGHT = [cuff(120 + n, NOON + n * DAY) for n in range(1, 4)]


async def furnish(house: House) -> None:
    """Readings on two clock segments of one cuff; some confirmed and purged, some unsent."""
    await house.meter(since=NOON - 9 * YEAR)
    await house.session(CUFF, BEHIND, clock=house.ours.local() - YEAR)
    await house.settle()
    for message in await house.publish():
        await house.receive(message)
    house.now.move(days=4)
    await house.session(CUFF, RIGHT)
    await house.settle()


async def lose(house: House, table: str) -> House:
    """The house after one page of its outbox was overwritten."""
    ((page,),) = await house.rows(f"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'")  # noqa: S608
    house.close()
    with (house.state_dir / "outbox.db").open("r+b") as file:
        file.seek((int(str(page)) - 1) * PAGE_OCTETS)
        file.write(b"\xff" * PAGE_OCTETS)
    again = House(house.state_dir)
    again.now.at = house.now()
    return again


async def known(house: House) -> list[tuple[object, ...]]:
    return await house.rows(
        "SELECT public_id, version, effective_at, state = 'received' FROM readings ORDER BY 1"
    )


async def resend(house: House, *memory: Frame) -> None:
    await house.session(CUFF, memory)
    await house.settle()


async def test_a_meter_that_sends_its_memory_again_doubles_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    await furnish(house)
    before = await known(house)
    again = await lose(house, "segments")
    assert await again.rows("SELECT * FROM segments") == []
    await resend(again, *BEHIND, *RIGHT)
    assert await known(again) == before
    again.close()


async def test_what_comes_afterwards_is_dated_by_the_segment_of_its_own_time(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    await furnish(house)
    again = await lose(house, "segments")
    fetched_late = cuff(150, NOON - YEAR - timedelta(hours=5))
    await resend(again, fetched_late, cuff(151, again.now()))
    rows = await again.rows("SELECT effective_at FROM readings ORDER BY id DESC LIMIT 2")
    taken = [again.now(), NOON - timedelta(hours=5)]
    assert rows == [(int(at.timestamp() * 1_000_000),) for at in taken]
    again.close()


async def test_one_segment_lost_beside_another_dates_nothing_by_the_wrong_one(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    await furnish(house)
    await house.store(lambda db: db.execute("PRAGMA foreign_keys = OFF"))
    await house.store(lambda db: db.execute("DELETE FROM segments WHERE id = 1"))
    before = await known(house)
    house.close()
    (tmp_path / "outbox.suspect").touch()
    again = House(tmp_path)
    again.now.move(days=5)
    now = again.now()
    await resend(again, *BEHIND, *RIGHT, cuff(151, now), cuff(152, NOON - YEAR - DAY / 2))
    after = await known(again)
    assert set(before) <= set(after)
    assert {row[2] for row in after if row not in before} == {
        int(at.timestamp() * 1_000_000) for at in (now, NOON - DAY / 2)
    }
    again.close()


async def test_a_clock_that_stands_still_keeps_two_equal_measurements_two(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.meter(since=NOON - 9 * YEAR)
    stuck, shown = cuff(121, NOON - YEAR), NOON.replace(tzinfo=None) - YEAR + timedelta(hours=1)
    await house.session(CUFF, [stuck], clock=shown)
    await house.settle()
    again = await lose(house, "segments")
    again.now.move(days=1)
    await again.session(CUFF, [stuck], clock=shown)
    await again.settle()
    assert len(await known(again)) == 2
    again.close()


async def test_without_the_readings_of_the_clock_its_segments_stay_as_they_were(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    await furnish(house)
    before, segments = await known(house), await house.rows("SELECT * FROM segments")
    again = await lose(house, "clock_events")
    assert await again.rows("SELECT * FROM segments") == segments
    await resend(again, *RIGHT, *BEHIND)
    assert await known(again) == before
    again.close()
