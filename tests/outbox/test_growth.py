"""Rows stay for a device's life: what is done again and again must not read them all."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.outbox import delivery, quota
from gateway.outbox.database import Cursor, Database
from gateway.outbox.facts import facts
from tests.outbox.growth import grow, one_received
from tests.outbox.house import NOON, House, cuff

YEARS = 2_000  # rows
STEPS = 10  # of SQLite's machine: the unit in which it is measured
MORE = 1_000  # steps that a statement may take more: each index is a level deeper
# Counts entries of an index, and is looked at once in a while: 1 ms for each 20,000.
COUNTS = "SELECT count(*) FROM readings WHERE state = 'received'"


class Measured:
    """A connection that counts the steps of each statement."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.steps: Counter[str] = Counter()

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Cursor:
        def step() -> None:
            self.steps[sql] += STEPS

        self._connection.set_progress_handler(step, STEPS)
        rows = self._connection.execute(sql, parameters).fetchall()
        self._connection.set_progress_handler(None, STEPS)
        return _Fetched(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Fetched(list[Any]):
    """Rows that have been read already, as a cursor."""

    def fetchall(self) -> list[Any]:
        return self

    def fetchone(self) -> Any:
        return self.pop(0) if self else None


async def watched(house: House) -> Measured:
    """From now on the steps of each statement are counted."""

    def measure(db: Database) -> Measured:
        db._connection = measured = Measured(db._connection)
        return measured

    return await house.store(measure)


async def a_day(state: Path) -> Counter[str]:
    """A reading from the meter to the receipt, and what is looked at on the way: its steps."""
    house = House(state)
    measured = await watched(house)
    await house.store(facts)
    await house.session(1, [cuff(systolic=140)])
    await house.settle()
    await house.store(delivery.resend_now, house.now())
    (message,) = await house.publish()
    assert await house.receive(message) == "received"
    await house.store(quota.tidy, timedelta(days=7), house.now())
    await house.store(facts)
    house.close()
    return measured.steps


async def test_no_statement_of_a_day_reads_what_years_have_left(tmp_path: Path) -> None:
    for name in ("new", "old"):
        await one_received(tmp_path / name, "gw-7f3ak2m9qd")
    grow(tmp_path / "old" / "outbox.db", YEARS)
    new, old = await a_day(tmp_path / "new"), await a_day(tmp_path / "old")
    slower = {sql: (new[sql], steps) for sql, steps in old.items() if steps > new[sql] + MORE}
    slower.pop(COUNTS, None)
    assert slower == {}


async def test_what_is_sent_next_is_found_without_sorting_all_that_waits(tmp_path: Path) -> None:
    steps = []
    for waiting in (50, 400):
        house = House(tmp_path / str(waiting))
        device = await house.meter()
        frames = [cuff(at=NOON - timedelta(minutes=each)) for each in range(waiting)]
        await house.session(device, frames)
        await house.settle()
        measured = await watched(house)
        first = await house.store(delivery.due, house.now(), 10)
        rows = {each.row for each in first}
        second = await house.store(delivery.due, house.now(), 10, rows)
        assert [each.seq for each in (*first, *second)] == list(range(1, 21))
        await house.store(delivery.next_due, rows)
        steps.append(measured.steps.total())
        house.close()
    assert steps[1] < 1.5 * steps[0]
