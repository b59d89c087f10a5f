"""Commands from afar: what is proved is done once and answered; nothing else does anything."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import contract
from gateway.clock import OurClock
from gateway.contract import Reply, Topics
from gateway.contract.base import MAX_DOWN
from gateway.fleet_key import verifier
from gateway.live import UplinkFacts
from gateway.orders import Orders
from tests.outbox.house import House, cuff

TOPICS = Topics("org1", "gw-7f3ak2m9qd")
FLEET, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@dataclass(frozen=True, slots=True)
class Down:
    """A message that came down."""

    body: bytes
    retain: bool = False
    content_type: str | None = "application/json"


class Fleet:
    """Whoever commands the gateway of one house."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder, self.facts, self.number = house, folder, UplinkFacts(), 0
        self.key = folder / "fleet.pem"
        public = FLEET.public_key()
        self.key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        self.orders = self.started()

    def started(self, ours: OurClock | None = None, *, obey: bool = True) -> Orders:
        """As after a start of the daemon."""
        verify = verifier(self.key) if obey else None
        numbers = self.folder / "commands.json"
        return Orders(
            self.house.store, ours or self.house.ours, TOPICS, self.facts, verify, numbers
        )

    def command(
        self,
        key: Ed25519PrivateKey = FLEET,
        topic: str = TOPICS.command,
        **but: Any,
    ) -> Down:
        """A replay of everything, signed; *but* changes it before that."""
        self.number += 1
        document: dict[str, Any] = {
            "id": str(uuid4()),
            "issuer": "fleet-1",
            "number": self.number,
            "expires": (self.house.now() + timedelta(hours=1)).isoformat(),
            "command": "replay",
            "arguments": {"epoch": self.house.store.epoch, "first": 1},
        }
        document |= but
        signature = key.sign(contract.signed_octets(topic, document))
        document["signature"] = base64.b64encode(signature).decode()
        return Down(json.dumps(document).encode())

    async def answer(self, message: Down) -> Reply:
        reply = await self.orders.obey(message)
        assert reply is not None
        return reply

    async def refused(self, message: Down) -> str:
        """Why; and nothing was sent again."""
        before = self.facts.refused_commands
        reply = await self.answer(message)
        assert (reply.status, reply.result) == ("refused", None)
        assert self.facts.refused_commands == before + 1
        assert await self.house.states() == ["received"]
        return reply.reason or ""


@pytest.fixture
async def fleet(house: House, tmp_path: Path) -> Fleet:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    return Fleet(house, tmp_path)


async def test_a_signed_command_is_carried_out_and_answered(fleet: Fleet) -> None:
    command = fleet.command()
    reply = await fleet.answer(command)
    assert (reply.status, reply.reason) == ("done", None)
    assert reply.id == UUID(json.loads(command.body)["id"])
    assert reply.result is not None
    assert (reply.result.again, reply.result.waiting) == (1, 0)
    assert len(await fleet.house.due()) == 1


async def test_delivered_again_it_is_answered_again_and_not_done_twice(fleet: Fleet) -> None:
    command = fleet.command()
    first = await fleet.answer(command)
    (message,) = await fleet.house.publish()
    await fleet.house.receive(message)
    fleet.orders = fleet.started()
    assert await fleet.answer(command) == first
    assert await fleet.house.states() == ["received"]


def withdrawal(fleet: Fleet, reading: str, **more: Any) -> Down:
    return fleet.command(command="withdraw", arguments={"reading": reading} | more)


async def test_a_reading_is_withdrawn_and_put_back_from_afar(fleet: Fleet) -> None:
    ((name,),) = await fleet.house.rows("SELECT public_id FROM readings")
    for more, version, status in (({}, 2, "entered-in-error"), ({"undo": True}, 3, "amended")):
        reply = await fleet.answer(withdrawal(fleet, str(name), **more))
        assert (reply.status, reply.reason, reply.result) == ("done", None, None)
        await fleet.house.settle()
        (message,) = await fleet.house.due()
        assert message.version == version
        assert f'"status":"{status}"'.encode() in message.body


async def test_a_withdrawal_that_was_cut_short_is_done_once(fleet: Fleet) -> None:
    ((name,),) = await fleet.house.rows("SELECT public_id FROM readings")
    command = withdrawal(fleet, str(name))
    await fleet.answer(command)
    await fleet.house.store(lambda db: db.execute("UPDATE commands SET outcome = NULL"))
    assert (await fleet.answer(command)).status == "done"
    assert await fleet.house.rows("SELECT version FROM readings") == [(2,)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "reading: "),
        ({"reading": "r1"}, "reading: "),
        ({"reading": "3d7e1c52-9a0b-5f6e-8c41-6f2a9b7d0e13"}, "no reading here"),
        ({"reading": "3d7e1c52-9a0b-5f6e-8c41-6f2a9b7d0e13", "undo": "true"}, "undo: "),
    ],
)
async def test_a_withdrawal_of_nothing_fails(
    fleet: Fleet, arguments: dict[str, Any], why: str
) -> None:
    reply = await fleet.answer(fleet.command(command="withdraw", arguments=arguments))
    assert reply.status == "failed"
    assert why in (reply.reason or "")
    assert await fleet.house.states() == ["received"]


async def test_one_that_a_death_cut_short_is_carried_out_when_it_comes_again(
    fleet: Fleet,
) -> None:
    command = fleet.command()
    await fleet.answer(command)
    await fleet.house.store(lambda db: db.execute("UPDATE commands SET outcome = NULL"))
    reply = await fleet.answer(command)
    assert reply.result is not None
    assert (reply.status, reply.result.waiting) == ("done", 1)


async def test_a_stranger_a_change_and_another_gateways_command_are_refused(fleet: Fleet) -> None:
    good = fleet.command()
    changed = replace(good, body=good.body.replace(b'"first": 1', b'"first": 2'))
    other = Topics("org1", "gw-0000000000").command
    for message in (fleet.command(STRANGER), changed, fleet.command(topic=other)):
        assert "signature is not by the fleet key" in await fleet.refused(message)


async def test_an_old_number_is_refused_though_the_outbox_is_a_new_one(fleet: Fleet) -> None:
    assert (await fleet.answer(fleet.command(number=7))).status == "done"
    (message,) = await fleet.house.publish()
    await fleet.house.receive(message)
    for number in (7, 6):
        assert "came already" in await fleet.refused(fleet.command(number=number))
    await fleet.house.store(lambda db: db.execute("DELETE FROM commands"))
    assert "came already" in await fleet.refused(fleet.command(number=7))
    assert (await fleet.answer(fleet.command(number=1, issuer="fleet-2"))).status == "done"


async def test_an_expired_command_is_refused(fleet: Fleet) -> None:
    message = fleet.command()
    fleet.house.now.move(hours=1)
    assert "expired" in await fleet.refused(message)


async def test_nothing_is_carried_out_while_our_clock_is_not_trusted(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.clock.OurClock.trusted", False)
    assert "clock is not set" in await fleet.refused(fleet.command())


async def test_a_retained_command_does_nothing_and_is_not_answered(fleet: Fleet) -> None:
    assert await fleet.orders.obey(replace(fleet.command(), retain=True)) is None
    assert fleet.facts.refused_commands == 1
    assert await fleet.house.states() == ["received"]


async def test_a_gateway_that_is_to_obey_nobody_says_so(fleet: Fleet) -> None:
    fleet.orders = fleet.started(obey=False)
    assert "obeys no commands" in await fleet.refused(fleet.command())


@pytest.mark.parametrize(
    ("but", "words"),
    [
        ({"command": "wipe"}, "not supported by this version"),
        ({"number": 0}, "number"),
        ({"issuer": "a/b"}, "issuer"),
        ({"expires": "tomorrow"}, "expires"),
        ({"arguments": []}, "arguments"),
    ],
)
async def test_what_is_no_command_of_the_contract_is_refused(
    fleet: Fleet, but: dict[str, Any], words: str
) -> None:
    assert words in await fleet.refused(fleet.command(**but))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"first": 1},
        {"epoch": "another", "first": 1},
        {"epoch": "e", "first": 0},
        {"epoch": "e", "first": 1, "since": "2026-11-25T08:00:00Z"},
        {"since": "2026-11-25T08:00:00"},
        {"last": 3},
    ],
)
async def test_arguments_that_make_no_sense_fail_and_send_nothing(
    fleet: Fleet, arguments: dict[str, Any]
) -> None:
    reply = await fleet.answer(fleet.command(arguments=arguments))
    assert (reply.status, reply.result) == ("failed", None)
    assert reply.reason
    assert await fleet.house.states() == ["received"]


HOSTILE = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"[" * 60_000,
    b'{"id": 1, "id": 2}',
    b'{"number": 1e999}',
    b'{"number": 0.5, "signature": "x"}',
    b'{"command": "\\ud800", "signature": "x"}',
    b" " * (MAX_DOWN + 1),
    b"x" * 200_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:30]))
async def test_hostile_octets_are_refused_in_words_that_quote_nothing(
    fleet: Fleet, body: bytes
) -> None:
    assert await fleet.refused(Down(body))


async def test_another_content_type_is_refused(fleet: Fleet) -> None:
    message = replace(fleet.command(), content_type="application/fhir+json")
    assert "content type" in await fleet.refused(message)
    assert (await fleet.answer(replace(fleet.command(), content_type=None))).status == "done"


async def test_a_damaged_file_of_numbers_leaves_the_list_in_the_outbox(fleet: Fleet) -> None:
    await fleet.answer(fleet.command(number=7))
    (message,) = await fleet.house.publish()
    await fleet.house.receive(message)
    (fleet.folder / "commands.json").write_bytes(b"\xff{")
    assert "came already" in await fleet.refused(fleet.command(number=7))
