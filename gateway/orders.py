"""Commands from afar: proved, carried out once, and answered.

Whatever comes is hostile until its signature is verified. Nothing is carried out while our own
clock is not trusted, since a command expires.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gateway import contract, replay
from gateway.clock import OurClock
from gateway.contract import Command, ContractError, ReplayResult, Reply, Topics
from gateway.live import UplinkFacts
from gateway.order_numbers import Numbers
from gateway.outbox import orders
from gateway.outbox.orders import Old, Order
from gateway.outbox.store import Store
from gateway.outbox.technician import Declined
from gateway.outbox.trace import Unclear
from gateway.outbox.withdrawal import Already, withdraw

log = logging.getLogger(__name__)

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (first) over octets (second) is by the fleet key."""

JSON = (None, "application/json")


class Refusal(Exception):
    """This command is not carried out; the text says why, and is sent to whoever commands."""


class Received(Protocol):
    """A message that came down."""

    @property
    def body(self) -> bytes: ...
    @property
    def retain(self) -> bool: ...
    @property
    def content_type(self) -> str | None: ...


class Orders:
    """`obey` one message at a time. *verify*: None where none is to be obeyed."""

    def __init__(
        self,
        store: Store,
        ours: OurClock,
        topics: Topics,
        facts: UplinkFacts,
        verify: Verify | None,
        numbers: Path,
    ) -> None:
        self._store, self._ours, self._topics, self._facts = store, ours, topics, facts
        self._verify, self._numbers = verify, Numbers(numbers)

    async def obey(self, message: Received) -> Reply | None:
        """What to answer; None: nothing. When it returns, the command is on disk and done."""
        if message.retain:
            self._odd("retained: a command is an act, not a state")
            return None
        try:
            return await self._obey(self._proved(message))
        except Refusal as error:
            self._odd(str(error))
            now = self._ours.utc()
            return contract.refusal(message.body, self._topics.gateway, now, str(error))

    def _odd(self, why: str) -> None:
        self._facts.refused_commands += 1
        log.warning("a command was not carried out: %s", why)

    def _proved(self, message: Received) -> Command:
        """The command, if it is one that we must obey now. Raises Refusal."""
        if message.content_type not in JSON:
            raise Refusal("its content type is not application/json")
        try:
            document = contract.signed_document(message.body)
            octets = contract.signed_octets(self._topics.command, document)
            command = contract.parse_command(message.body)
        except ContractError as error:
            raise Refusal(str(error)) from None
        if self._verify is None:
            raise Refusal("this gateway obeys no commands (commands.obey)")
        if not self._verify(_signature(command), octets):
            raise Refusal("its signature is not by the fleet key, or not for this gateway")
        if not self._ours.trusted:
            raise Refusal("the gateway's own clock is not set: it cannot tell what has expired")
        if command.expires <= self._ours.utc():
            raise Refusal("it has expired")
        if command.command not in (contract.REPLAY, contract.WITHDRAW):
            raise Refusal("not supported by this version")
        return command

    async def _obey(self, command: Command) -> Reply:
        order, now = Order(command.issuer, command.number, str(command.id)), self._ours.utc()
        known = await asyncio.to_thread(self._numbers.highest, command.issuer)
        try:
            before = await self._store(orders.accept, order, known, now)
        except Old as error:
            raise Refusal(str(error)) from None
        if before is not None:
            return Reply.model_validate_json(before)
        await asyncio.to_thread(self._numbers.reach, command.issuer, command.number)
        log.info("command %d of %s: %s", command.number, command.issuer, command.command)
        reply = await self._carry_out(command, now)
        await self._store(orders.done, order, reply.model_dump_json())
        return reply

    async def _carry_out(self, command: Command, now: datetime) -> Reply:
        gateway, result = self._topics.gateway, None
        try:
            if command.command == contract.WITHDRAW:
                await self._withdraw(command, now)
            else:
                result = await self._replay(command, now)
        except (ContractError, replay.TooMany, Declined, Unclear) as error:
            why = str(error)
            return Reply(id=command.id, gateway=gateway, at=now, status="failed", reason=why)
        return Reply(id=command.id, gateway=gateway, at=now, status="done", result=result)

    async def _replay(self, command: Command, now: datetime) -> ReplayResult:
        wanted = contract.replay_arguments(command.arguments)
        if wanted.since is not None:
            return await replay.by_time(self._store, wanted.since, now)
        if wanted.epoch != self._store.epoch or wanted.first is None:
            raise ContractError("epoch: not the one that this gateway counts in; ask by since")
        return await replay.by_number(self._store, wanted.first, wanted.last, now)

    async def _withdraw(self, command: Command, now: datetime) -> None:
        wanted = contract.withdraw_arguments(command.arguments)
        with suppress(Already):  # done, and then we died before we could say so
            await self._store(withdraw, str(wanted.reading), now, undo=wanted.undo)


def _signature(command: Command) -> bytes:
    try:
        return base64.b64decode(command.signature, validate=True)
    except binascii.Error:
        raise Refusal("its signature is not Base64") from None
