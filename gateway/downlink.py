"""What comes down: receipts into the outbox, commands to whoever obeys. Hostile until proved."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from gateway import contract
from gateway.clock import OurClock
from gateway.contract import ContractError, Publication, Topics
from gateway.live import UplinkFacts
from gateway.outbox import receipts
from gateway.outbox.receipts import ReceiptNote
from gateway.outbox.store import Store
from gateway.uplink import Incoming
from gateway.witness import Witness

log = logging.getLogger(__name__)

JSON = (None, "application/json")
CHANGED_NOTHING = ("unknown", "mismatch")  # the outbox counts them
HOLDS_IT = ("received", "waiting")  # one more receiver has a reading of ours, or the last has it

Obey = Callable[[Incoming], Awaitable[contract.Reply | None]]
"""Carry out a command; returns what to answer, None: nothing."""


class Downlink:
    """Takes one message at a time. *required*: as in `receipts.take`."""

    def __init__(
        self,
        store: Store,
        topics: Topics,
        required: Sequence[str],
        ours: OurClock,
        facts: UplinkFacts,
        obey: Obey,
        witness: Witness,
    ) -> None:
        self._store, self._topics, self._required = store, topics, required
        self._ours, self._facts, self._obey = ours, facts, obey
        self._witness = witness

    async def take(self, message: Incoming) -> Publication | None:
        """Returns what to answer, if anything; by then what must not be lost is on disk."""
        if message.topic == self._topics.command:
            if (reply := await self._obey(message)) is None:
                return None
            return contract.reply(self._topics, reply, message.correlation)
        try:
            await self._receipts(self._read(message))
        except ContractError as error:
            self._facts.odd_receipts += 1
            log.warning("a receipt changed nothing: %s", error)
        return None

    def _read(self, message: Incoming) -> Sequence[contract.Receipt]:
        """Raises ContractError."""
        if message.topic != self._topics.receipt:
            raise ContractError("it came on a topic that is not ours")
        if message.retain:
            raise ContractError("retained: a receipt is news, not a state")
        if message.content_type not in JSON:
            raise ContractError("its content type is not application/json")
        return contract.parse_receipts(message.body).receipts

    async def _receipts(self, told: Sequence[contract.Receipt]) -> None:
        now = self._ours.utc()
        notes = [
            ReceiptNote(
                str(each.id), each.epoch, each.sha256, each.by, each.status, each.reason or ""
            )
            for each in told
        ]
        outcomes = await self._store(receipts.take, notes, self._required, now)
        for why in CHANGED_NOTHING:
            if count := outcomes.count(why):
                log.warning("%d receipts changed nothing: %s", count, why)
        if any(outcome not in CHANGED_NOTHING for outcome in outcomes):
            self._facts.last_receipt_at = now
        await self._witness.heard(
            {
                each.sha256: each.at
                for each, outcome in zip(told, outcomes, strict=True)
                if outcome in HOLDS_IT
            }
        )
