"""Send again what was confirmed, batch by batch: the rows are never held for long."""

from datetime import datetime

from gateway.contract import ReplayResult
from gateway.contract.replay import MAX_SPANS
from gateway.outbox import replay as rows
from gateway.outbox.replay import Found, TooMany
from gateway.outbox.store import Store

__all__ = ["TooMany", "by_number", "by_time"]

BATCH = 200  # in one transaction: bounds the write-ahead log


async def by_number(store: Store, first: int, last: int | None, now: datetime) -> ReplayResult:
    """What has these numbers. Raises TooMany, before anything is sent."""
    return await _again(store, await store(rows.by_number, first, last), now)


async def by_time(store: Store, since: datetime, now: datetime) -> ReplayResult:
    """What was confirmed at *since* or later. Raises TooMany, before anything is sent."""
    return await _again(store, await store(rows.by_time, since), now)


async def _again(store: Store, found: Found, now: datetime) -> ReplayResult:
    if max(len(found.gone), len(found.void)) > MAX_SPANS:
        raise TooMany(f"there are more than {MAX_SPANS} gaps in it: ask for less at a time")
    again = 0
    for start in range(0, len(found.rows), BATCH):
        again += await store(rows.again, found.rows[start : start + BATCH], now)
    return ReplayResult(
        again=again,
        waiting=found.waiting,
        gone=tuple(found.gone),
        void=tuple(found.void),
    )
