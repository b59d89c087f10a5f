"""A reference receiver: stores each reading, then says so to the gateway that sent it.

The order is the promise: commit, receipt, acknowledgement. Whatever fails in between makes the
broker or the gateway send the reading again, and it is answered as a duplicate.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

import aiomqtt

from backend import onward
from backend.arrival import Arrival
from backend.arrivals import Arrivals, Say
from backend.checkers import Checkers
from backend.chores import Chores
from backend.intake import Heard, take_in
from backend.link import Link, NotTaken, Overrun
from backend.onward import Pace, Party
from backend.orders import Sign
from backend.settings import Settings
from backend.store import Database, Delivery, Store, StoreError, Verdict, gateways
from backend.store.ahead import bring_back
from backend.store.retention import remove_bodies, remove_bodies_by_age
from gateway import contract
from gateway.contract import Publication

log = logging.getLogger("hjemgate.receiver")

RETENTION_S = 10.0  # between two looks at whose octets may go
REMOVED_AT_ONCE = 200  # whoever stores is not kept waiting for longer
CHORES_S = 1.0  # between two looks at what else is due
NOT_HEARD = "the broker does not take what we say to it"
DEFAULT_PACE = Pace()
CHANNELS = ("up/observation", "up/status", "up/reply")

P = ParamSpec("P")
T = TypeVar("T")


class Receiver:
    """Use `run` for ever, or until cancelled.

    *sign*: with the fleet's key; without it nothing is asked for again. *parties*: who the readings
    are handed on to; without any they wait in the store.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        tls: ssl.SSLContext,
        sign: Sign | None = None,
        parties: Sequence[Party] = (),
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        self._settings, self._store, self._tls = settings, store, tls
        self._sign, self._parties, self._pace = sign, parties, pace
        self._disk = ThreadPoolExecutor(1, "disk")  # the database has one thread of its own
        self._check = Checkers(settings.checkers)
        self._failures = 0

    def close(self) -> None:
        """Finish the commit that is under way, then close the store."""
        self._disk.shutdown()
        self._store.close()

    async def run(self) -> NoReturn:
        """Receive, and hand on if there is anybody to hand on to."""
        settings = self._settings
        async with asyncio.TaskGroup() as group:
            group.create_task(self._check.run(), name="checkers")
            group.create_task(self._receive(), name="receive")
            if self._parties:
                handing = onward.hand_on(self._on_disk, self._parties, self._pace)
                group.create_task(handing, name="hand on")
            if settings.keep is not None:
                group.create_task(self._remove_bodies(settings.keep), name="retention")
        raise AssertionError("all go on for ever")

    async def _remove_bodies(self, keep: timedelta) -> NoReturn:
        nobody = self._settings.onward is None
        remove = remove_bodies_by_age if nobody else remove_bodies
        while True:
            try:
                await self._on_disk(_remove, remove, keep)
            except StoreError as error:
                log.warning("retention: %s", error)
            await asyncio.sleep(RETENTION_S)

    async def _receive(self) -> NoReturn:
        """Connect, and again whenever the broker or the database goes away."""
        while True:
            errors: Sequence[BaseException] = ()
            try:
                await self._connected()
            except* (aiomqtt.MqttError, StoreError) as group:
                errors = _leaves(group)
            bound = min(self._settings.reconnect_cap_s, 0.5 * 2**self._failures)
            if all(isinstance(error, Overrun) for error in errors):
                bound = 0.0  # the broker is there
            self._failures = min(self._failures + 1, 30)
            delay = random.uniform(0.0, bound)  # noqa: S311  # jitter, not a secret
            for error in errors:
                who = "store" if isinstance(error, StoreError) else "broker"
                log.warning("%s: %s; trying again in %.1f s", who, error, delay)
            await asyncio.sleep(delay)

    async def _connected(self) -> None:
        """Whoever cannot store does not listen: the broker keeps it, or gives it to others."""
        await self._on_disk(bring_back, datetime.now(UTC))
        settings = self._settings
        async with Link(settings, self._tls) as link, asyncio.TaskGroup() as group:
            group.create_task(self._listen(link), name="subscription")
            say = partial(self._say, link)
            arrivals = Arrivals(link, self._check, self._keep, say, settings.by)
            group.create_task(arrivals.run(), name="arrivals")
            group.create_task(self._do_chores(say), name="chores")

    async def _listen(self, link: Link) -> None:
        """What waits in a session that the broker remembers comes before its answer to this."""
        settings = self._settings
        await link.listen(
            *(contract.from_all(settings.organisation, c, settings.share) for c in CHANNELS)
        )
        log.info("listening")
        self._failures = 0

    async def _keep(
        self, items: Sequence[Arrival | Heard], now: datetime
    ) -> Sequence[tuple[Arrival, Verdict]]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, self._take_in, items, now)

    def _take_in(
        self, items: Sequence[Arrival | Heard], now: datetime
    ) -> list[tuple[Arrival, Verdict]]:
        kept = take_in(self._store, items, now)
        if self._settings.export is not None:
            for arrival, verdict in kept:
                if verdict.status != "rejected" and isinstance(arrival.message, Delivery):
                    _export(self._settings.export, arrival.message)
        return kept

    async def _say(self, link: Link, publication: Publication) -> bool:
        """Whether the broker took it. If not, `status` says so, and it is for the caller to try
        again: somebody has to look at the broker's access list.
        """
        try:
            await link.send(publication)
        except NotTaken as error:
            words = f"{NOT_HEARD} ({error}); see its access list"
        else:
            return True
        gateway = contract.parse_topic(publication.topic).topics.gateway
        log.error("%s: %s", gateway, words)
        await self._on_disk(_notice, gateway, words, datetime.now(UTC))
        return False

    async def _do_chores(self, say: Say) -> NoReturn:
        settings = self._settings
        chores = Chores(
            disk=self._on_disk,
            publish=say,
            by=settings.by,
            issuer=settings.issuer or settings.by,
            sign=self._sign,
            patience=settings.patience,
        )
        while True:
            await chores.do()
            await asyncio.sleep(CHORES_S)

    async def _on_disk(
        self, do: Callable[Concatenate[Database, P], T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._disk, lambda: do(self._store.database, *args, **named)
        )


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]


def _remove(
    db: Database, remove: Callable[[Database, datetime, int], int], keep: timedelta
) -> None:
    if db.leads() and (count := remove(db, datetime.now(UTC) - keep, REMOVED_AT_ONCE)):
        log.info("retention: the octets of %d readings are removed", count)


def _notice(db: Database, gateway: str, words: str, now: datetime) -> None:
    with db.writing():
        gateways.notice(db, gateway, words, now)


def _export(directory: Path, delivery: Delivery) -> None:
    """One file a Bundle, whole or not at all. The store has it, whatever becomes of that."""
    path = directory / f"{delivery.id}-v{delivery.version}.json"
    unfinished = path.with_suffix(".part")
    try:
        if path.exists():
            return
        unfinished.write_bytes(delivery.body)
        unfinished.replace(path)
    except OSError as error:
        log.error("--export: a reading is in the store, but not in the folder: %s", error)  # noqa: TRY400
