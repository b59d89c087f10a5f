"""What becomes of a reading onward is told to its gateway, and is not forgotten by a crash."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from backend.onward import Pace, Party, Target, Undeliverable
from backend.store import ToHandOn
from gateway import contract
from gateway.contract import Receipt
from gateway.uplink import NO_SUBSCRIBERS, Uplink
from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import ORGANISATION, TOPICS, message, reading
from tests.backend.postgres import Postgres
from tests.backend.running import LONG_S

PACE = Pace(per_second=1000, grace=timedelta(0), look_s=0.05)


class CareTeam:
    """Takes every reading but the second."""

    async def hand_on(self, reading_: ToHandOn) -> None:
        if reading_.id == reading(2):
            raise Undeliverable("the server knows no such patient")


def receiver(
    broker: Broker, authority: Authority, store: Path, target: Target | None
) -> AbstractAsyncContextManager[None]:
    parties = () if target is None else [Party("care-team", target)]
    return running.in_process(broker, authority, store, parties, PACE)


async def told(uplink: Uplink, receipts: int, *numbers: int) -> list[Receipt]:
    """Send these readings and wait for so many receipts, the same one counted once."""
    found: dict[tuple[UUID, str], Receipt] = {}
    async with uplink.connect() as session, asyncio.timeout(LONG_S):
        await session.subscribe(TOPICS.receipt)
        messages = session.messages()
        for number in numbers:
            publication = contract.observation(TOPICS, message(number), 600)
            while await session.publish(publication) == NO_SUBSCRIBERS:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
        while len(found) < receipts:
            for receipt in contract.parse_receipts((await anext(messages)).body).receipts:
                found[receipt.id, receipt.status] = receipt
    return list(found.values())


async def test_delivered_and_undeliverable_follow_stored(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    async with receiver(broker, authority, tmp_path / "store.db", CareTeam()):
        found = await told(uplink, 4, 1, 2)
    said = {(each.id, each.status): each.reason for each in found}
    assert said == {
        (reading(1), "stored"): None,
        (reading(1), "delivered"): None,
        (reading(2), "stored"): None,
        (reading(2), "undeliverable"): "care-team: the server knows no such patient",
    }
    assert {each.sha256 for each in found} == {message(1).sha256, message(2).sha256}


async def test_what_nobody_took_is_handed_on_after_a_restart(
    uplink: Uplink, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    async with receiver(broker, authority, tmp_path / "store.db", None):
        before = await told(uplink, 1, 1)
    async with receiver(broker, authority, tmp_path / "store.db", CareTeam()):
        after = await told(uplink, 2, 1)
    assert [each.status for each in before] == ["stored"]
    assert "delivered" in [each.status for each in after]


async def test_a_database_that_goes_away_costs_nothing(
    uplink: Uplink, broker: Broker, authority: Authority, postgres: Postgres
) -> None:
    address = postgres.database()
    async with running.Receiver(broker, authority, address) as process:
        async with uplink.connect() as session:
            observations = [contract.observation(TOPICS, message(n), 600) for n in (1, 2)]
            first = await running.answers(session, observations[:1], TOPICS)
            postgres.hang_up(address)
            second = await running.answers(session, observations[1:], TOPICS)
        await process.says(b"listening")
    assert [each.status for each in (*first, *second)] == ["stored", "stored"]
    assert b"WARNING store: the store: " in process.errors


async def test_a_database_that_is_not_there_is_waited_for(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    address = f"postgresql:///receiver?host={tmp_path}&user=nobody"
    process = running.Receiver(broker, authority, address)
    await process.start(says=b"trying again")
    await process.says(b"trying again")
    await process.stop()
    assert b"WARNING store: the store: connection" in process.errors


async def test_a_database_that_is_not_there_is_waited_for_before_anything_is_handed_on(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    toml = tmp_path / "onward.toml"
    toml.write_text(
        f'[[party]]\nname = "ours"\nto = "fhir"\nbase = "https://127.0.0.1:1/fhir"\n'
        f'ca = "{broker.ca}"\nwhere.organisation = ["{ORGANISATION}"]\n'
    )
    address = f"postgresql:///receiver?host={tmp_path}&user=nobody"
    process = running.Receiver(broker, authority, address, "--onward", str(toml))
    await process.start(says=b"trying again")
    await process.says(b"trying again")
    await process.stop()
    assert b"WARNING store: the store: connection" in process.errors
