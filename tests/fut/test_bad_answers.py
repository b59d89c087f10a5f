"""Whatever a party answers, a reading ends in words that `status` or `dead-letters` shows.

Over real sockets, through the queue: it waits with the reason and comes there once when the trouble
is over, or it is undeliverable with the reason.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend import commands
from backend.fhir_server import FhirServer
from backend.onward import Party
from backend.onward_access import Token
from backend.onward_http import Rest, Web
from backend.store import looks, parties
from backend.store.moments import moment
from tests.fut.fhir_standin import Server, outcome, running
from tests.fut.queue import handed_on, handing, keep, outcomes, until, waiting
from tests.fut.scene import Disk, connected, to_hand_on
from tests.fut.standin import Fut

PRESSURE = to_hand_on("blood-pressure")
GARBAGE = b"<html>the proxy is tired</html>"
LONG = 1000  # times: longer than anybody waits here


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.onward.FIRST_S", 0.01)
    monkeypatch.setattr("backend.onward.CAP_S", 0.02)


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server(token="good")) as started:  # noqa: S106 -- nobody's
        yield started


@asynccontextmanager
async def region(server: Server, call_s: float = 30.0) -> AsyncIterator[list[Party]]:
    async with (
        Web(call_s=call_s, rest=Rest(first_s=0)) as web,
        Web(rest=Rest(first_s=0)) as tokens,
    ):
        access = Token(tokens, f"{server.base}/token", {"grant_type": "client_credentials"})
        yield [Party("region", FhirServer(web, access, server.base))]


async def waits(disk: Disk, to: list[Party], troubles: list[Any], trouble: Any, party: str) -> str:
    """The words under which it waits in `status`; and after the trouble it is delivered."""
    troubles.extend([trouble] * LONG)
    keep(disk, PRESSURE)
    async with handing(disk, to):
        await until(lambda: tried(disk) >= commands.LONG)
        seen = [line for line in needs(disk) if line.startswith(f"{party}: ")]
        troubles.clear()
        await until(lambda: not waiting(disk))
    assert outcomes(disk) == [("delivered", None)]
    assert needs(disk) == []
    (words,) = seen
    return words


def needs(disk: Disk) -> list[str]:
    seen, standings = looks.overview(disk.database), parties.standings(disk.database)
    return commands.needs(seen, standings, datetime.now(UTC))


def tried(disk: Disk) -> int:
    return max((s.attempts for s in parties.standings(disk.database)), default=0)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (302, "it answers 302"),
        (401, "it answers 401: check our credentials and their rights"),
        (403, "it answers 403: check our credentials and their rights"),
        (404, "it answers 404: check its address"),
        (409, "it answers 409"),
        (429, "it answers 429"),
        (500, "it answers 500"),
        (503, "it answers 503"),
        ("deaf", "no whole answer: RemoteProtocolError"),
        ("silent", "no whole answer: RemoteProtocolError"),
        ("half", "no whole answer: RemoteProtocolError"),
        ("torn", "it answers 200, and half a body"),
        ("short", "it answers 200, for 4 of 5 entries"),
        ((200, GARBAGE), "it answers 200, and half a body"),
        ((200, b""), "it answers 200, and half a body"),
        ((200, {"resourceType": "Bundle"}), "no transaction-response: check its address"),
        ((200, outcome("lock-error")), "it answers 200 (lock-error)"),
    ],
)
async def test_a_fhir_server_is_waited_for(
    disk: Disk, server: Server, trouble: Any, says: str
) -> None:
    async with region(server) as to:
        words = await waits(disk, to, server.trouble, trouble, "region")
    assert "1 readings wait for it since" in words
    assert says in words
    assert server.kinds() == {"Device": 2, "Observation": 3}


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (400, "it answers 400"),
        (412, "it answers 412: an identifier of ours is there twice, or no such patient"),
        (422, "it answers 422"),
        ("inside", "it answers 200, and within it 422"),
        ((200, outcome("invalid")), "it answers 200 (invalid)"),
        ((404, outcome("not-found")), "it answers 404 (not-found): no such patient"),
        ((422, outcome("value is 121")), "it answers 422"),
    ],
)
async def test_what_a_fhir_server_refuses_is_undeliverable(
    disk: Disk, server: Server, trouble: Any, says: str
) -> None:
    server.trouble = [trouble]
    async with region(server) as to:
        told = await handed_on(disk, to, PRESSURE)
    assert told == [("undeliverable", f"region: {says}")]
    assert needs(disk) == ["could not be handed on: 1; see `hjemgate-receiver dead-letters`"]


TOKENS = [
    ((400, {"error": "invalid_grant"}), "answers 400, invalid_grant: check client_id"),
    ((401, {"error": "invalid_client"}), "answers 401, invalid_client: check client_id"),
    (404, "answers 404: check token_url and our credentials there"),
    (409, "answers 409: check token_url"),
    (412, "answers 412: check token_url"),
    (429, "answers 429: it is asked again later"),
    (500, "answers 500: it is asked again later"),
    (503, "answers 503: it is asked again later"),
    ("deaf", "the token endpoint: no whole answer"),
    ((200, GARBAGE), "answers 200, no token: check token_url"),
    ((200, b'{"access_token": "go'), "answers 200, no token: check token_url"),
    ((200, outcome("login")), "answers 200, no token: check token_url"),
    ((200, {"access_token": ["a"]}), "answers 200, no token: check token_url"),
    ((200, {"access_token": "a\r\nb: c"}), "answers 200, no token: check token_url"),
    ((200, {"access_token": "gr\u00fcn"}), "answers 200, no token: check token_url"),
]


@pytest.mark.parametrize(("trouble", "says"), TOKENS)
async def test_a_token_endpoint_is_waited_for(
    disk: Disk, server: Server, trouble: Any, says: str
) -> None:
    async with region(server) as to:
        words = await waits(disk, to, server.token_trouble, trouble, "region")
    assert says in words


@pytest.mark.parametrize("life", ["300", None, True, -1, 1.5, 10**400, {"s": 1}])
async def test_a_token_of_a_strange_life_is_used_for_a_short_one(
    disk: Disk, server: Server, life: Any
) -> None:
    server.token_trouble = [(200, {"access_token": "good", "expires_in": life})]
    async with region(server) as to:
        assert await handed_on(disk, to, PRESSURE) == [("delivered", None)]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_a_pause_gets_it(
    disk: Disk, server: Server, status: int
) -> None:
    server.trouble = [(status, {}, {"Retry-After": "1800"})]
    keep(disk, PRESSURE)
    async with region(server) as to, handing(disk, to):
        await until(lambda: "left in peace for 1" in str(needs_of_all(disk)))
        ((due, queued),) = disk.database.execute(
            "SELECT t.due_at, o.queued_at FROM onward_to t JOIN onward o ON o.reading = t.reading"
        )
    assert server.calls["fhir"] == 1
    assert moment(due) - moment(queued) > timedelta(minutes=25)


def needs_of_all(disk: Disk) -> list[str | None]:
    return [each.reason for each in parties.standings(disk.database)]


FUT_WAITS = [
    (302, "answers 302"),
    (401, "answers 401: check the token, its rights and its context"),
    (404, "answers 404"),
    (409, "answers 409"),
    (429, "answers 429"),
    (500, "answers 500"),
    (503, "answers 503"),
    ("deaf", "no whole answer"),
    ("silent", "no whole answer"),
    ("half", "no whole answer"),
    ("torn", "answers 200, and no whole body"),
    ((200, GARBAGE), "answers 200, and no whole body"),
    ((200, {"resourceType": "Bundle"}), "answers 200"),
]


@pytest.mark.parametrize(("trouble", "says"), FUT_WAITS)
async def test_fut_is_waited_for_and_gets_it_once(
    disk: Disk, fut: Fut, trouble: Any, says: str
) -> None:
    if trouble in ("silent", "half", "torn"):  # it has it: from then on the search is in trouble
        fut.trouble = [trouble]
        fut.search_trouble.extend([503] * LONG)
        troubles, trouble, says = (
            fut.search_trouble,
            503,
            "the search for what was sent answers 503",
        )
    else:
        troubles = fut.trouble
    async with connected(fut, disk) as target:
        words = await waits(disk, [Party("fut", target)], troubles, trouble, "fut")
    assert says in words
    assert fut.codes == ["ZZ3170", "NPU21692"]


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (400, "FUT answers 400"),
        (412, "FUT answers 412"),
        (422, "FUT answers 422"),
        ((200, outcome("processing")), "FUT answers 200 (processing)"),
    ],
)
async def test_what_fut_refuses_is_undeliverable(
    disk: Disk, fut: Fut, trouble: Any, says: str
) -> None:
    fut.trouble = [trouble]
    async with connected(fut, disk) as target:
        told = await handed_on(disk, [Party("fut", target)], PRESSURE)
    assert told == [("undeliverable", f"fut: {says}")]
    assert fut.codes == []


@pytest.mark.parametrize("which", ["plan_trouble", "definition_trouble"])
@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (400, "server answers 400"),
        (401, "server answers 401"),
        (409, "server answers 409"),
        (412, "server answers 412"),
        (429, "server answers 429"),
        (500, "server answers 500"),
        ("deaf", "no whole answer"),
        ("half", "no whole answer"),
        ((200, GARBAGE), "server answers 200, and no whole body"),
        ((200, outcome("processing")), "server answers 200 (processing)"),
        ((200, {"resourceType": "Bundle", "entry": [1]}), "server: an answer without what it must"),
    ],
)
async def test_without_a_plan_it_waits(
    disk: Disk, fut: Fut, which: str, trouble: Any, says: str
) -> None:
    async with connected(fut, disk) as target:
        to = [Party("fut", target)]
        words = await waits(disk, to, getattr(fut, which), trouble, "fut")
    assert says in words


@pytest.mark.parametrize(("trouble", "says"), TOKENS)
async def test_futs_token_endpoint_is_waited_for(
    disk: Disk, fut: Fut, trouble: Any, says: str
) -> None:
    fut.wants_token = True
    async with connected(fut, disk) as target:
        words = await waits(disk, [Party("fut", target)], fut.token_trouble, trouble, "fut")
    assert says in words


async def test_a_server_that_is_not_there_is_waited_for(disk: Disk, server: Server) -> None:
    keep(disk, PRESSURE)
    async with region(server) as (party,):
        web, access = Web(rest=Rest(first_s=0)), party.target.access  # type: ignore[attr-defined]
        async with web:
            away = Party("region", FhirServer(web, access, "https://127.0.0.1:1/fhir"))
            async with handing(disk, [away]):
                await until(lambda: "nobody listens at their address" in str(needs(disk)))
            nowhere = Party("region", FhirServer(web, access, "https://nowhere.invalid/fhir"))
            async with handing(disk, [nowhere]):
                await until(lambda: "is not known: check it, and the DNS" in str(needs(disk)))


def test_what_waits_for_more_than_an_hour_needs_somebody(disk: Disk) -> None:
    keep(disk, PRESSURE)
    parties.share(disk.database, ["region"], 0, datetime.now(UTC))
    seen, standings = looks.overview(disk.database), parties.standings(disk.database)
    soon, late = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (59, 61))
    assert commands.needs(seen, standings, soon) == []
    (need,) = commands.needs(seen, standings, late)
    assert need.startswith("region: 1 readings wait for it since ")


def test_what_was_tried_five_times_needs_somebody(disk: Disk) -> None:
    keep(disk, PRESSURE)
    now = datetime.now(UTC)
    parties.share(disk.database, ["region"], 0, now)
    for _ in range(5):
        assert needs(disk) == []
        parties.begin(disk.database, "region", 1)
        parties.postpone(disk.database, "region", 1, "it answers 401", now)
    (need,) = needs(disk)
    assert need.endswith("one was tried 5 times: it answers 401")
