"""What one receiver does for all that share a store: asks for what is missing, and tells gateways
what became of their readings onward.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from backend import orders, receipts
from backend.orders import Sign
from backend.store import Database, asks, onward
from backend.store.onward import Outcome
from gateway.contract import Publication, Receipt, Topics

log = logging.getLogger("hjemgate.receiver")

AT_ONCE = 100  # readings that are looked up together

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


Publish = Callable[[Publication], Awaitable[bool]]  # whether the broker took it


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
        """Whom the broker does not let us tell is told later; nobody waits for that."""
        after, unheard = 0, set[Topics]()
        while outcomes := await self.disk(onward.untold, AT_ONCE, after):
            after = max(outcome.position for outcome in outcomes)
            by_gateway: defaultdict[Topics, list[Outcome]] = defaultdict(list)
            for outcome in outcomes:
                by_gateway[_topics(outcome)].append(outcome)
            now = _now()
            for topics, told in by_gateway.items():
                if topics in unheard:
                    continue
                for publication in receipts.messages(
                    topics, (self._receipt(each, now) for each in told)
                ):
                    if not await self.publish(publication):
                        unheard.add(topics)
            left = {each.position for each in outcomes if _topics(each) in unheard}
            told = [each for each in outcomes if each.position not in left]
            if told:
                await self.disk(onward.told, told, now)

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
        unheard: set[str] = set()
        while True:
            ask = await self.disk(asks.next_to_send, self.issuer, _now(), unheard)
            if ask is None:
                return
            if not await self.publish(orders.order(ask, sign)):
                unheard.add(ask.gateway)
                continue
            await self.disk(asks.sent, ask.id, _now())
            what = (ask.number, ask.issuer, ask.wanted.command, ask.gateway)
            log.info("command %d of %s: %s, to %s", *what)


def _topics(outcome: Outcome) -> Topics:
    return Topics(outcome.organisation, outcome.gateway)


def _leads(db: Database) -> bool:
    return db.leads()


def _now() -> datetime:
    return datetime.now(UTC)
