"""What receipts tell of our own clock, where no network time is to be had.

A reading that nobody has seen before goes up, and its receipt comes back at once: between the two
the receiver's clock was looked at. If it agrees with ours, ours is believed from then on, and is
said to be so (`clock.source` "receipt"). It is never set by a receipt.

A receipt that lay at the broker proves nothing, and the clock of a box that was switched off may
stand just where that receipt was written. So only a reading counts that was made into a message by
this process: its id and digest cannot have been known to anybody before.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway.clock import OurClock
from gateway.model import Message, Stamp
from gateway.outbox import delivery, frames
from gateway.outbox.store import Store

log = logging.getLogger(__name__)

AT_ONCE = timedelta(seconds=30)  # from our sending to the receipt
AGREES = timedelta(seconds=10)  # beyond that span


class Witness:
    """Told of what goes up and of the receipts that counted."""

    def __init__(self, store: Store, ours: OurClock) -> None:
        self._store, self._ours = store, ours
        self._newest: int | None = None  # the last number given before this process
        self._sent: dict[str, Stamp] = {}  # digest -> first sent, while our clock is not trusted

    async def begin(self) -> None:
        """To be called before anything is sent."""
        if self._newest is None:
            self._newest = await self._store(delivery.last_seq)

    def sent(self, message: Message) -> None:
        """*message* goes up now."""
        if self._ours.trusted:
            self._sent.clear()
        elif self._newest is not None and message.seq > self._newest:
            self._sent.setdefault(message.sha256, self._ours.now())

    async def heard(self, receipts: Mapping[str, datetime]) -> None:
        """Receipts that changed a row: the digest, and what the receiver's clock said."""
        for digest, at in receipts.items():
            sent = self._sent.pop(digest, None)
            if sent is None or self._ours.trusted:
                continue
            arrived = self._ours.now()
            took = arrived.boottime - sent.boottime  # our clock may have been set meanwhile
            if took > AT_ONCE:
                continue
            if not (arrived.wall - took - AGREES <= at <= arrived.wall + AGREES):
                seconds = (at - arrived.wall).total_seconds()
                log.warning("a receiver's clock is %+.0f s from ours, which is not set", seconds)
                continue
            known = await self._store(frames.latest_trusted)
            if known is not None and at < known:
                log.warning("a receiver's clock agrees with ours, but it was later already")
                continue
            self._ours.believe_receipt()
            log.info("our clock agrees with a receiver's: believed")
