"""From the outbox to the broker, and the receiver's word back. The rows decide what is sent."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol

from gateway import contract
from gateway.backoff import Backoff
from gateway.clock import OurClock
from gateway.contract import Publication, Topics
from gateway.downlink import Downlink, Obey
from gateway.live import UplinkFacts
from gateway.model import Message
from gateway.outbox import delivery
from gateway.outbox.delivery import Ack, Resend
from gateway.outbox.store import Store
from gateway.uplink import Refused, Session, Uplink, UplinkError
from gateway.witness import Witness

log = logging.getLogger(__name__)

CONNECT_S = 60.0  # name, TCP, TLS, CONNACK and SUBACK together


class StatusSource(Protocol):
    """Where the status document comes from."""

    async def document(self) -> contract.Status:
        """As things stand now."""

    async def due(self, told: contract.Status) -> contract.Status:
        """Wait until there is more to tell than *told*, the document published last."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What was agreed with those who receive."""

    topics: Topics
    resend: Resend
    receipts: bool  # False: nobody answers, the broker's word is the end
    required: tuple[str, ...]  # names that must each confirm; empty: any one
    window: int


class Deliver:
    """Keeps one connection up and everything due on its way."""

    def __init__(
        self,
        store: Store,
        uplink: Uplink,
        duty: Duty,
        status: StatusSource,
        ours: OurClock,
        facts: UplinkFacts,
        backoff: Backoff,
        obey: Obey,
    ) -> None:
        self._store, self._uplink, self._duty, self._status = store, uplink, duty, status
        self._ours, self._facts, self._backoff = ours, facts, backoff
        self._witness = Witness(store, ours)
        self._downlink = Downlink(
            store, duty.topics, duty.required, ours, facts, obey, self._witness
        )
        self._flying: set[int] = set()
        self._acked: list[Ack] = []
        self._landed = asyncio.Event()

    async def run(self) -> None:
        """For ever: connect, serve, and after a loss wait with full jitter."""
        await self._witness.begin()
        while True:
            newest = await self._store(delivery.last_seq)
            try:
                await self._connection()
            except UplinkError as error:
                if self._facts.connected_at is not None:  # until now all was on its way
                    newest = await self._store(delivery.last_seq)
                self._facts.lost(error.words, error.cure)
                delay = self._backoff.delay(reason_code=error.reason_code, slow=error.slow)
                log.warning("%s; trying again in %.1f s", error.words, delay)
                if error.kind == "clock" and not self._ours.trusted:
                    await self._clock_set(delay)
                else:
                    await self._pause(delay, newest)

    async def _clock_set(self, delay: float) -> None:
        """Until *delay* is over, or our clock was set: what was not valid yet may be valid now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._ours.plausible()

    async def _pause(self, delay: float, newest: int) -> None:
        """Until *delay* is over; sooner, where that may be, if there is news after *newest*."""
        began, least = time.monotonic(), self._backoff.least_s
        if least is None:
            await asyncio.sleep(delay)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._news(newest)
                await asyncio.sleep(began + least - time.monotonic())
                self._backoff.hurried()
                log.info("there is a new reading: trying now")

    async def _news(self, newest: int) -> None:
        """Wait for a message with a higher number than *newest*."""
        seen = self._store.revision
        while await self._store(delivery.last_seq) <= newest:
            seen = await self._store.changed(seen)

    async def _connection(self) -> NoReturn:
        """One connection until it is lost. Raises UplinkError, always."""
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(CONNECT_S):
                    session = await stack.enter_async_context(self._uplink.connect())
                    topics = self._duty.topics
                    await session.subscribe(topics.receipt, topics.command)
            except TimeoutError as error:
                words = f"the broker was not ready within {CONNECT_S:g} s"
                raise UplinkError("unanswered", words) from error
            self._backoff.connected()
            self._facts.connected_at = self._ours.utc()
            log.info("connected to the broker")
            await self._store(delivery.resend_now, self._ours.utc())
            await self._serve(session)

    async def _serve(self, session: Session) -> NoReturn:
        self._flying.clear()
        self._acked.clear()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(session), name="listen")
                group.create_task(self._record(), name="record")
                group.create_task(self._report(session), name="report")
                group.create_task(self._send(session, group), name="send")
        except* UplinkError as errors:
            lost = _first(errors)
            if self._flying:  # not waited for: without room on the disk it is left out
                flying = frozenset(self._flying)
                self._store.post(delivery.untaken, flying, lost.words[:200], self._ours.utc())
            raise lost from errors
        raise UplinkError("lost", "the connection ended")

    async def _send(self, session: Session, group: asyncio.TaskGroup) -> None:
        """Whatever is due goes out, as far as the window allows."""
        while True:
            seen = self._store.revision
            room = self._duty.window - len(self._flying)
            if room <= 0:
                await self._store.changed(seen)
                continue
            now, flying = self._ours.utc(), frozenset(self._flying)
            cap = self._duty.resend.cap
            messages = await self._store(delivery.due, now, room, flying, cap)
            for message in messages:
                self._flying.add(message.row)
                group.create_task(self._publish(session, message), name=f"row {message.row}")
            if not messages:
                await self._wait(seen, await self._store(delivery.next_due, flying))

    async def _wait(self, seen: int, due: datetime | None) -> None:
        """Until a row may have changed, or the next is due."""
        patience = None if due is None else max(0.0, (due - self._ours.utc()).total_seconds())
        try:
            async with asyncio.timeout(patience):
                await self._store.changed(seen)
        except TimeoutError:
            return

    async def _publish(self, session: Session, message: Message) -> None:
        expiry = max(1, int(self._duty.resend.after(message.attempt).total_seconds()))
        sent = self._ours.utc()
        self._witness.sent(message)
        try:
            code = await session.publish(contract.observation(self._duty.topics, message, expiry))
        except Refused as error:
            log.error("row %d: parked: %s", message.row, error)  # noqa: TRY400 - foreseen
            await self._store(delivery.refused, message.row, str(error), self._ours.utc())
            self._flying.discard(message.row)
            self._store.stir()
            return
        self._acked.append(Ack(message.row, message.version, code, sent))
        self._landed.set()

    async def _record(self) -> None:
        """Write good PUBACKs down; those that come during one commit go into the next together."""
        while True:
            await self._landed.wait()
            self._landed.clear()
            acks, self._acked = self._acked, []
            now = self._ours.utc()
            await self._store(delivery.published, acks, self._duty.resend, self._duty.receipts, now)
            self._facts.last_puback_at = now
            self._flying.difference_update(ack.row for ack in acks)
            self._store.stir()  # `_send` may have looked between the commit and this line

    async def _listen(self, session: Session) -> None:
        """What comes down is on disk before the next message is asked for, which acknowledges."""
        async for message in session.messages():
            if (answer := await self._downlink.take(message)) is not None:
                await self._send_up(session, answer)

    async def _report(self, session: Session) -> None:
        """The status document: at once, for the will may have said offline; then when due."""
        document = await self._status.document()
        while True:
            await self._send_up(session, contract.status(self._duty.topics, document))
            document = await self._status.due(document)

    async def _send_up(self, session: Session, publication: Publication) -> None:
        try:
            await session.publish(publication)
        except Refused as error:
            log.warning("%s: %s", publication.topic, error)


def offline(topics: Topics, version: str, at: datetime) -> Publication:
    """The will: what the broker says of us when we have been away too long."""
    document = contract.Offline(at=at, gateway=topics.gateway, version=version)
    return contract.will(topics, document)


def _first(errors: BaseExceptionGroup[UplinkError]) -> UplinkError:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return UplinkError("lost", "the connection ended")
