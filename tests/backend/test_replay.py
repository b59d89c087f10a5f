"""A receiver that has lost its store asks a real gateway, which sends it all again."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from simulator.broker import Broker
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import GATEWAY
from tests.backend.running import Receiver
from tests.daemon.scene import Scene, until


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    with TemporaryDirectory(prefix="replay-") as folder:
        async with Scene(Path(folder)) as scene:
            yield scene


def fleet_key(folder: Path) -> tuple[Path, Path]:
    """The private half for whoever commands, and the public one for gateways."""
    key = Ed25519PrivateKey.generate()
    ours, theirs = folder / "fleet.key", folder / "fleet.pem"
    ours.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    theirs.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return ours, theirs


def numbers(receiver: Receiver) -> list[int]:
    return sorted(each.seq for each in receiver.held())


async def test_what_a_receiver_has_lost_comes_again(scene: Scene) -> None:
    ours, theirs = fleet_key(scene.folder)
    with scene.configuration.open("a") as configuration:
        configuration.write(f'\n[commands]\nobey = true\nfleet_key = "{theirs}"\n')
    cuff, folder = scene.home.cuff, scene.folder
    await scene.broker.start()
    async with scene.gateway() as gateway:
        await scene.add(cuff)
        async with Receiver(scene.broker, scene.authority, folder / "lost.db"):
            cuff.measure()
            cuff.measure()
            await gateway.until_states(received=2)
        asking = ("--fleet-key", str(ours), "--gap-patience", "0")
        async with Receiver(scene.broker, scene.authority, folder / "new.db", *asking) as new:
            cuff.measure()
            await until(lambda: numbers(new) == [2, 3, 4])  # 1: what it says of the cuff
            await gateway.until_states(received=3)
            code, output, _ = await running.tell(
                *("replay", GATEWAY, "--first", "1", "--store", new.store, "--json")
            )
            answer = json.loads(output)
            assert (code, answer["status"]) == (0, "done"), output
            assert answer["result"] == {"again": 4, "waiting": 0, "gone": [], "void": []}
            await until(lambda: sum(each.deliveries for each in new.held()) == 6)
            code, output, _ = await running.tell("status", "--store", new.store)
            assert (code, "Nothing needs anybody." in output) == (0, True), output


async def test_a_care_team_withdraws_a_reading_and_puts_it_back(scene: Scene) -> None:
    ours, theirs = fleet_key(scene.folder)
    with scene.configuration.open("a") as configuration:
        configuration.write(f'\n[commands]\nobey = true\nfleet_key = "{theirs}"\n')
    await scene.broker.start()
    async with scene.gateway() as gateway:
        await scene.add(scene.home.thermometer)
        asking = ("--fleet-key", str(ours))
        store = scene.folder / "store.db"
        async with Receiver(scene.broker, scene.authority, store, *asking) as receiver:
            scene.home.thermometer.measure()
            await gateway.until_states(received=1)
            (first,) = receiver.held()
            for version, words, status in (
                (2, (), "entered-in-error"),
                (3, ("--undo",), "amended"),
            ):
                code, output, _ = await running.tell(
                    *("withdraw", str(first.id)[:8], "--store", receiver.store, *words)
                )
                assert (code, "sends it again" in output) == (0, True), output
                await until(lambda: receiver.held()[-1].version == version)  # noqa: B023
                assert f'"status":"{status}"'.encode() in receiver.held()[-1].body
            code, _, error = await running.tell(
                *("withdraw", str(first.id), "--undo", "--store", receiver.store)
            )
            assert code == 0, error  # as it was asked for


@pytest.mark.parametrize(
    ("reading", "code", "why"),
    [("r12", 64, "expected the id"), ("00000000", 1, "no reading here")],
)
async def test_a_withdrawal_of_nothing_is_said(
    receiver: Receiver, reading: str, code: int, why: str
) -> None:
    told, _, error = await running.tell("withdraw", reading, "--store", receiver.store)
    assert (told, why in error) == (code, True), error


async def test_a_replay_without_a_fleet_key_waits_in_the_store(receiver: Receiver) -> None:
    words = ("--first", "1", "--epoch", "e1", "--store", receiver.store, "--wait", "0")
    code, output, _ = await running.tell("replay", GATEWAY, "--org", "org1", *words)
    assert (code, "the order stays in the store" in output) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--first", "1"], "has not sent anything: name its --org"),
        (["--first", "1", "--org", "org1"], "has not sent anything: name the --epoch"),
        (["--since", "yesterday", "--org", "org1"], "--since: expected 2026-11-25T08:30Z"),
        ([], "one of the arguments --first --since is required"),
    ],
)
async def test_a_replay_that_makes_no_sense_is_said(
    words: list[str], why: str, receiver: Receiver
) -> None:
    code, _, errors = await running.tell("replay", GATEWAY, "--store", receiver.store, *words)
    assert (code, why in errors) == (64, True), errors


async def test_a_key_that_cannot_sign_is_said_at_the_start(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    identity = authority.client("receiver-1")
    code, _, errors = await running.tell(
        *("run", "--host", broker.host, "--port", str(broker.port), "--ca", str(broker.ca)),
        *("--cert", str(identity.certificate), "--key", str(identity.key), "--org", "org1"),
        *("--store", str(tmp_path / "s.db"), "--fleet-key", str(identity.key)),
    )
    assert (code, "another kind of key; put the fleet's private key there" in errors) == (78, True)
