"""The example consumers of docs/contract, each held to what it promises by a real gateway's uplink
and a real broker.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from gateway import contract
from gateway.contract import Publication, Receipt
from gateway.model import Message
from gateway.uplink import Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import ORGANISATION, TOPICS, message

LONG_S = 60.0


@asynccontextmanager
async def consumer(
    program: Sequence[str], broker: Broker, authority: Authority, store: Path
) -> AsyncIterator[None]:
    """Running, and listening."""
    identity = authority.client("receiver-1")
    process = await asyncio.create_subprocess_exec(
        *(*program, broker.host, str(broker.port), str(broker.ca)),
        *(str(identity.certificate), str(identity.key), ORGANISATION, str(store)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LONG_S):
            assert await process.stdout.readline() == b"listening\n"
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def keeps_the_contract(
    program: Sequence[str], broker: Broker, authority: Authority, store: Path
) -> None:
    """Stored once, confirmed each time, and what is wrong is rejected; over a restart as well."""
    uplink = running.uplink(broker, authority)
    first, second = message(1), message(2)
    wrong = replace(message(3), sha256=hashlib.sha256(b"something else").hexdigest())
    nameless = replace(_published(first), properties=())
    async with consumer(program, broker, authority, store):
        before = await _answers(uplink, _published(first), _published(first), _published(wrong))
        async with uplink.connect() as session:
            assert await session.publish(nameless) == 0
    async with uplink.connect() as session:  # while it is away
        assert await session.publish(_published(second)) == 0
    async with consumer(program, broker, authority, store):
        wanted = frozenset({(first.id, "duplicate"), (second.id, "stored")})
        after = await _answers(uplink, _published(first), wanted=wanted)
    assert [each.status for each in before] == ["stored", "duplicate", "rejected"]
    assert {each.sha256 for each in after} >= {first.sha256, second.sha256}
    assert {(each.epoch, each.by) for each in (*before, *after)} == {("e1", "receiver-1")}


def _published(message: Message) -> Publication:
    return contract.observation(TOPICS, message, 600)


async def _answers(
    uplink: Uplink, *publications: Publication, wanted: frozenset[tuple[UUID, str]] = frozenset()
) -> list[Receipt]:
    """The receipts to these, in order; or all that come until those *wanted* are among them."""
    found: list[Receipt] = []
    async with uplink.connect() as session, asyncio.timeout(LONG_S):
        await session.subscribe(TOPICS.receipt)
        messages = session.messages()
        for publication in publications:
            assert await session.publish(publication) == 0
            if not wanted:
                found += contract.parse_receipts((await anext(messages)).body).receipts
        while not wanted <= {(each.id, each.status) for each in found}:
            found += contract.parse_receipts((await anext(messages)).body).receipts
    return found
