"""The example consumers of docs/contract, each held to what it promises by a real gateway's uplink
and a real broker.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from gateway import contract
from gateway.contract import Publication, Receipt, Topics
from gateway.model import Message
from gateway.uplink import Session, Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import ORGANISATION, OTHER, TOPICS, message
from tests.contract import examples
from tests.contract.published import violations

LONG_S = 60.0

Name = tuple[str, int]  # id and version of a reading


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
) -> Counter[Name]:
    """Stored once, confirmed each time, and what is wrong is rejected; over a restart as well.

    Returns what it has to hold then, each as often as it came with other octets.
    """
    uplink = running.uplink(broker, authority)
    first, second, device = message(1), message(2), examples.device_message()
    amended = message(1, version=2)
    nameless = replace(_published(first), properties=())
    async with consumer(program, broker, authority, store):
        before = await _answers(
            uplink,
            *(_published(each) for each in (first, first, amended, device, device)),
            *_wrong(),
        )
        replaced = await _says_the_same_of_a_replaced_gateway(broker, authority)
        async with uplink.connect() as session:
            assert await session.publish(nameless) == 0
    async with uplink.connect() as session:  # while it is away
        assert await session.publish(_published(second)) == 0
    async with consumer(program, broker, authority, store):
        wanted = frozenset({(first.id, "duplicate"), (second.id, "stored")})
        after = await _answers(uplink, _published(first), wanted=wanted)
    assert [each.status for each in before] == [
        *("stored", "duplicate", "stored", "stored", "duplicate"),
        *["rejected"] * len(_wrong()),
    ]
    assert {each.sha256 for each in after} >= {first.sha256, second.sha256}
    assert {each.by for each in (*before, *after)} == {"receiver-1"}
    assert {each.epoch for each in (*before, *after)} == {"e1", examples.EPOCH}
    held = (first, replaced, amended, device, second)
    return Counter((str(each.id), each.version) for each in held)


async def _says_the_same_of_a_replaced_gateway(broker: Broker, authority: Authority) -> Message:
    """Another gateway at the same meter: the same name, and other octets. Returns that message."""
    again = message(1, gateway=OTHER, epoch="e2")
    topics = Topics(ORGANISATION, OTHER)
    published = contract.observation(topics, again, 600)
    uplink = running.uplink(broker, authority, OTHER)
    answers = await _answers(uplink, published, published, topics=topics)
    assert [each.status for each in answers] == ["stored", "duplicate"]
    assert {(each.id, each.epoch) for each in answers} == {(message(1).id, "e2")}
    return again


def _wrong() -> list[Publication]:
    """Of nothing that a gateway sends."""
    other = replace(message(3), sha256=hashlib.sha256(b"something else").hexdigest())
    elsewhere = contract.observation(Topics(ORGANISATION, OTHER), message(3), 600)
    bodies = (b"", b"[]", b"7", b"[" * 100_000, b'{"resourceType":"Observation"}', b"\xff")
    return [
        _published(other),
        replace(elsewhere, topic=TOPICS.observation),  # for a gateway that it is not
        *(_published(_with_body(message(3), body)) for body in bodies),
    ]


def _with_body(message: Message, body: bytes) -> Message:
    return replace(message, body=body, sha256=hashlib.sha256(body).hexdigest())


def _published(message: Message) -> Publication:
    return contract.observation(TOPICS, message, 600)


async def _answers(
    uplink: Uplink,
    *publications: Publication,
    wanted: frozenset[tuple[UUID, str]] = frozenset(),
    topics: Topics = TOPICS,
) -> list[Receipt]:
    """The receipts to these, in order; or all that come until those *wanted* are among them."""
    found: list[Receipt] = []
    async with uplink.connect() as session, asyncio.timeout(LONG_S):
        await session.subscribe(topics.receipt)
        for publication in publications:
            assert await session.publish(publication) == 0
            if not wanted:
                found += await _next(session)
        while not wanted <= {(each.id, each.status) for each in found}:
            found += await _next(session)
    return found


async def _next(session: Session) -> Sequence[Receipt]:
    """What stands in the next message of receipts; all of it is as the contract has it."""
    message = await session._client.next_message()
    properties = vars(message.properties)
    assert (properties["ContentType"], properties["PayloadFormatIndicator"]) == (
        "application/json",
        1,
    )
    body = bytes(message.payload)
    assert violations(str(message.topic), body, ()) == []
    session._client.acknowledge(message)
    return contract.parse_receipts(body).receipts
