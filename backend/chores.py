"""What one receiver does for all that share a store: asks for what is missing, and tells gateways
what became of their readings onward.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from backend import orders
from backend.orders import Sign
from backend.store import Database, asks, onward
from backend.store.onward import Outcome
from gateway import contract
from gateway.contract import Publication, Receipt, Receipts, Topics

log = logging.getLogger("hjemgate.receiver")

AT_ONCE = 100  # receipts in one message

P = ParamSpec("P")
T = TypeVar("T")


class Disk(Protocol):
    """Runs a function with the database, in the thread that owns it."""

    async def __call__(
        self,
        do: Callable[Concatenate[Database, P], T],
        /,
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T: ...


Publish = Callable[[Publication], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chores:
    """Each call does what is due. May raise StoreError, and whatever `publish` raises."""

    disk: Disk
    publish: Publish
    by: str
    issuer: str
    sign: Sign | None  # None: no commands
    patience: timedelta  # how long a number may be missing before it is asked for

    async def do(self) -> None:
        if not await self.disk(_leads):
            return
        await self._tell()
        if self.sign is not None:
            made = await self.disk(asks.ask_for_missing, self.patience, _now())
            if made:
                log.info("numbers are missing: asking for %d gaps", made)
            await self._ask(self.sign)

    async def _tell(self) -> None:
        while outcomes := await self.disk(onward.untold, AT_ONCE):
            by_gateway: defaultdict[Topics, list[Outcome]] = defaultdict(list)
            for outcome in outcomes:
                by_gateway[Topics(outcome.organisation, outcome.gateway)].append(outcome)
            now = _now()
            for topics, told in by_gateway.items():
                receipts = tuple(self._receipt(each, now) for each in told)
                for first in range(0, len(receipts), AT_ONCE):  # with copies there may be more
                    some = Receipts(receipts=receipts[first : first + AT_ONCE])
                    await self.publish(contract.receipts(topics, some))
            await self.disk(onward.told, outcomes, now)

    def _receipt(self, outcome: Outcome, at: datetime) -> Receipt:
        return Receipt(
            id=outcome.id,
            epoch=outcome.epoch,
            sha256=outcome.sha256,
            by=self.by,
            status=outcome.status,
            at=at,
            reason=outcome.reason,
        )

    async def _ask(self, sign: Sign) -> None:
        while (ask := await self.disk(asks.next_to_send, self.issuer, _now())) is not None:
            await self.publish(orders.replay(ask, sign))
            await self.disk(asks.sent, ask.id, _now())
            log.info("command %d of %s: replay, to %s", ask.number, ask.issuer, ask.gateway)


def _leads(db: Database) -> bool:
    return db.leads()


def _now() -> datetime:
    return datetime.now(UTC)
