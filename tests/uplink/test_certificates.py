"""Certificates that one end does not believe: what the other says, in the words of `status`."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.pki import Authority, Identity
from tests.uplink.conftest import GATEWAY, Up
from tests.uplink.line import Line
from tests.uplink.test_reasons import SLOW, SOON
from tests.uplink.tls_door import TlsDoor

DAY = timedelta(days=1)
CERTIFICATES = "Somebody must look at the section [broker], and at the certificates at either end."


@dataclass(frozen=True, slots=True)
class Papers:
    """What one end shows, and whom it believes."""

    identity: Identity
    ca: Path


@pytest.fixture
def broker(authority: Authority) -> Papers:
    return Papers(authority.server(), authority.ca)


async def told(line: Line, up: Up, broker: Papers, words: str, **ours: object) -> str:
    """What a technician reads once these two have met."""
    await line.measure()
    with TlsDoor(broker.identity, broker.ca) as door:
        async with line.to(up(door.port, **ours)):
            text = await line.down(words)
    assert await line.house.states() == ["pending"]
    return text


async def test_a_broker_by_another_authority(
    line: Line, up: Up, broker: Papers, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other").ca
    words = "the broker's certificate is not by the authority in broker.ca: check both"
    assert CERTIFICATES in await told(line, up, broker, words, ca=other)
    assert line.dice.asked[0] == SLOW


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_broker_by_another_name(
    line: Line, up: Up, authority: Authority, host: str
) -> None:
    elsewhere = Papers(authority.server("elsewhere", names=("broker.example",)), authority.ca)
    words = "the broker's certificate is not for this name: check broker.host"
    await told(line, up, elsewhere, words, host=host)
    assert line.dice.asked[0] == SLOW


async def test_a_broker_whose_certificate_is_out_of_date(
    line: Line, up: Up, authority: Authority
) -> None:
    old = Papers(authority.server("old", life=-DAY), authority.ca)
    words = "the broker's certificate is out of date: renew it there; or is this gateway's clock"
    await told(line, up, old, words)
    assert line.dice.asked[0] == SLOW


async def test_a_broker_whose_certificate_is_not_valid_yet(
    line: Line, up: Up, tmp_path: Path
) -> None:
    tomorrow = Authority(tmp_path / "tomorrow", starts_in=DAY)
    early = Papers(tomorrow.server(), tomorrow.ca)
    words = "the broker's certificate is not valid yet: is this gateway's clock right?"
    text = await told(line, up, early, words, ca=tomorrow.ca)
    assert "It goes on by itself once the clock is set" in text
    assert line.dice.asked[0] == SOON


async def test_a_broker_that_speaks_tls_1_2_alone(line: Line, up: Up, broker: Papers) -> None:
    await line.measure()
    door = TlsDoor(broker.identity, broker.ca)
    door.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with door:
        async with line.to(up(door.port)):
            assert CERTIFICATES in await line.down("the broker does not speak TLS 1.3")
    assert line.dice.asked[0] == SLOW


async def test_a_broker_that_does_not_know_our_authority(
    line: Line, up: Up, broker: Papers, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").client(GATEWAY)
    words = "the broker does not know the authority that signed our certificate"
    text = await told(line, up, broker, words, certificate=stranger.certificate, key=stranger.key)
    assert CERTIFICATES in text
    assert line.dice.asked[0] == SLOW


async def test_our_certificate_out_of_date(
    line: Line, up: Up, broker: Papers, authority: Authority
) -> None:
    old = authority.client("gw-expired000", -DAY)
    words = "the broker says that our certificate is out of date"
    await told(line, up, broker, words, certificate=old.certificate, key=old.key)
    assert line.dice.asked[0] == SLOW


async def test_our_certificate_not_valid_yet(
    line: Line, up: Up, authority: Authority, tmp_path: Path
) -> None:
    tomorrow = Authority(tmp_path / "tomorrow", starts_in=DAY)
    early = tomorrow.client(GATEWAY)
    strict = Papers(authority.server(), tomorrow.ca)
    words = "the broker does not accept our certificate"
    await told(line, up, strict, words, certificate=early.certificate, key=early.key)
    assert line.dice.asked[0] == SLOW


@pytest.mark.parametrize("answer", [b"\x20\x03\x00\x00\x00", b"HTTP/1.1 400 Bad Request\r\n"])
async def test_a_port_at_which_something_else_is_spoken(line: Line, up: Up, answer: bytes) -> None:
    async with plain(answer) as port, line.to(up(port)):
        await line.down("no TLS is spoken there; check broker.port")
    assert line.dice.asked[0] == SLOW


async def test_a_port_that_hangs_up_at_once_is_soon_tried_again(line: Line, up: Up) -> None:
    async with plain(b"") as port, line.to(up(port)):
        await line.down("hung up before TLS was agreed")
    assert line.dice.asked[0] == SOON


@asynccontextmanager
async def plain(answer: bytes) -> AsyncIterator[int]:
    """A port at which *answer* is all that anybody hears."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ca": Path("/nonesuch.pem")}, "/nonesuch.pem: No such file or directory"),
        ({"key": Path("/nonesuch.key")}, "/nonesuch.key: No such file or directory"),
    ],
)
async def test_files_of_ours_that_cannot_be_used(
    line: Line, up: Up, settings: dict[str, object], words: str
) -> None:
    async with line.to(up(1, **settings)):
        told = await line.down(words)
    assert "Put right the files that the section [broker] names." in told
    assert line.dice.asked[0] == SLOW
