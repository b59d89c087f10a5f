"""A FHIR server gets every Bundle once, whatever it answers; and nothing ends in silence."""

import gzip
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from backend.fhir_server import STUBBORN, FhirServer
from backend.onward import TryAgain, Undeliverable
from backend.onward_access import Access, Certificate, Token
from backend.onward_http import NotSent, Rest, Web
from backend.onward_tls import Ending, context, refused
from simulator.pki import Authority, Identity
from tests.fut.fhir_standin import Server, outcome, running
from tests.fut.scene import to_hand_on
from tests.fut.test_taking_back import taken_back

READING = to_hand_on("blood-pressure")
WHOLE = {"Device": 2, "Observation": 3}


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as started:
        yield started


@asynccontextmanager
async def opened(
    server: Server, access: Any = None, tls: ssl.SSLContext | bool = True, call_s: float = 30
) -> AsyncIterator[FhirServer]:
    async with Web(tls, call_s=call_s, rest=Rest(first_s=0)) as web:
        own: Access = access(web) if access else Certificate()
        yield FhirServer(web, own, server.base)


async def test_the_octets_of_the_gateway_arrive_as_they_came(server: Server) -> None:
    async with opened(server) as target:
        await target.hand_on(READING)
    assert server.bodies == [READING.body]
    assert server.kinds() == WHOLE


async def test_what_is_given_twice_is_there_once(server: Server) -> None:
    async with opened(server) as target:
        await target.hand_on(READING)
        await target.hand_on(READING)
    assert server.kinds() == WHOLE


async def test_an_amended_reading_takes_the_place_of_the_first(server: Server) -> None:
    async with opened(server) as target:
        await target.hand_on(READING)
        await target.hand_on(to_hand_on("blood-pressure-amended", version=2))
    assert server.kinds() == WHOLE
    assert [r["status"] for r in server.held.values() if r.get("component")] == ["amended"]


async def test_a_withdrawn_reading_takes_the_place_of_the_first_and_stays_there(
    server: Server,
) -> None:
    withdrawn = taken_back(to_hand_on("blood-pressure-amended", version=2))
    async with opened(server) as target:
        await target.hand_on(READING)
        await target.hand_on(withdrawn)
        await target.hand_on(READING)  # late, by whatever way
    assert server.kinds() == WHOLE
    assert [r["status"] for r in server.held.values() if r.get("component")] == ["entered-in-error"]


@pytest.mark.parametrize(
    "trouble",
    [
        *(302, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504),
        *("silent", "deaf", "half", "torn", "short"),
        (200, {}),
        (200, {"resourceType": "Bundle", "type": "searchset"}),
        (200, outcome("transient")),
        (422, outcome("lock-error")),
    ],
)
async def test_what_may_pass_is_tried_again_until_it_is_there_once(
    server: Server, trouble: Any
) -> None:
    server.trouble = [trouble, trouble]
    async with opened(server) as target:
        with pytest.raises(TryAgain):
            await target.hand_on(READING)
        server.trouble.clear()
        await target.hand_on(READING)
    assert server.kinds() == WHOLE


@pytest.mark.parametrize(
    "trouble",
    [
        *(400, 412, 413, 422),
        "inside",
        (200, outcome("invalid")),
        (201, outcome("processing", "fatal")),
        (400, outcome("not-found")),
        (404, outcome("not-found")),
    ],
)
async def test_what_is_refused_for_good_is_undeliverable(server: Server, trouble: Any) -> None:
    server.trouble = [trouble]
    async with opened(server) as target:
        with pytest.raises(Undeliverable) as refused:
            await target.hand_on(READING)
    assert "121" not in str(refused.value)


async def test_a_patient_whom_the_server_does_not_know_is_said_so(server: Server) -> None:
    server.trouble = [(404, outcome("not-found"))]
    async with opened(server) as target:
        with pytest.raises(Undeliverable, match="no such patient"):
            await target.hand_on(READING)


async def test_a_warning_beside_success_is_no_error(server: Server) -> None:
    done = server.transaction({"entry": []})
    done["entry"] = [{"response": {"status": "201"}}] * 5
    done["entry"][0]["response"]["outcome"] = outcome("informational", "warning")
    server.trouble = [(200, done)]
    async with opened(server) as target:
        await target.hand_on(READING)


async def test_a_server_that_says_nothing_is_given_up_in_time(server: Server) -> None:
    async with opened(server, call_s=0.001) as target:
        with pytest.raises(TryAgain):
            await target.hand_on(READING)


async def test_one_bundle_that_breaks_a_server_that_is_well_is_set_aside(server: Server) -> None:
    server.trouble = [500] * (STUBBORN + 3)
    async with opened(server) as target:
        for _ in range(STUBBORN):
            with pytest.raises(TryAgain):
                await target.hand_on(READING)
        server.well = False
        with pytest.raises(TryAgain):
            await target.hand_on(READING)
        server.well = True
        with pytest.raises(Undeliverable, match="again and again"):
            await target.hand_on(READING)
        with pytest.raises(TryAgain):  # somebody wants it tried again: it begins anew
            await target.hand_on(READING)


async def test_failures_that_something_else_came_between_are_counted_anew(server: Server) -> None:
    server.trouble = [*[500] * STUBBORN, 503, 500]
    async with opened(server) as target:
        for _ in range(STUBBORN + 2):
            with pytest.raises(TryAgain):
                await target.hand_on(READING)


async def test_tries_while_a_server_was_away_do_not_count_against_a_reading(
    server: Server,
) -> None:
    server.trouble = [500]
    async with opened(server) as target:
        with pytest.raises(TryAgain):
            await target.hand_on(replace(READING, attempts=1000))


async def test_after_a_failure_a_server_is_left_in_peace(server: Server) -> None:
    async with Web(rest=Rest(first_s=3600)) as web:
        target = FhirServer(web, Certificate(), server.base)
        server.trouble = [503]
        with pytest.raises(TryAgain, match="503"):
            await target.hand_on(READING)
        with pytest.raises(NotSent, match="it answers 503; left in peace for"):
            await target.hand_on(READING)
    assert server.calls["fhir"] == 1


def test_what_a_server_asks_for_is_heeded_within_reason() -> None:
    rest = Rest(first_s=1)
    untils = []
    for wanted_s in (0.0, 0.0, 30.0, 1800.0, 86_400.0, -5.0):
        rest.failed(100.0, "it answers 503", wanted_s)
        untils.append(rest.until - 100.0)
    assert untils == [1.0, 2.0, 30.0, 1800.0, 3600.0, 32.0]
    rest.worked()
    assert (rest.failures, rest.until) == (0, 0.0)


async def test_a_pause_may_be_asked_for_until_a_date(server: Server) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    for asked, least_s in ((until, 1500), ("soon", 0), ("Wed, 25 Nov 2026 10:00:00", 0)):
        server.trouble = [(503, {}, {"Retry-After": asked})]
        async with Web(rest=Rest(first_s=1)) as web:
            target = FhirServer(web, Certificate(), server.base)
            with pytest.raises(TryAgain, match="it answers 503"):
                await target.hand_on(READING)
            with pytest.raises(NotSent) as rests:
                await target.hand_on(READING)
        assert least_s < rests.value.wait_s < least_s + 400


def credentials(server: Server, refresh: Path | None = None) -> Any:
    grant = "client_credentials" if refresh is None else "refresh_token"
    fields = {"grant_type": grant, "client_id": "receiver", "scope": "system/*.write"}
    return lambda web: Token(web, f"{server.base}/token", fields, refresh)


async def test_a_token_is_fetched_once_and_again_when_it_is_refused(server: Server) -> None:
    server.token = "first"  # noqa: S105 -- nobody's
    async with opened(server, credentials(server)) as target:
        await target.hand_on(READING)
        await target.hand_on(READING)
        assert server.calls["token"] == 1
        server.token = "second"  # noqa: S105 -- nobody's
        await target.hand_on(READING)
    assert server.calls["token"] == 2
    assert server.forms[0]["grant_type"] == "client_credentials"


async def test_a_refresh_token_that_is_renewed_is_kept_for_the_next_time(
    server: Server, tmp_path: Path
) -> None:
    server.token = "first"  # noqa: S105 -- nobody's
    kept = tmp_path / "refresh"
    kept.write_text("refresh-0\n")
    for _ in range(2):  # the second is a receiver that was started anew
        async with opened(server, credentials(server, kept)) as target:
            await target.hand_on(READING)
    assert [form["refresh_token"] for form in server.forms] == ["refresh-0", "refresh-1"]
    assert kept.read_text() == "refresh-2"
    assert kept.stat().st_mode & 0o077 == 0


async def test_without_a_token_the_reading_waits(server: Server) -> None:
    async with opened(server, credentials(server)) as target:
        with pytest.raises(TryAgain, match="token endpoint answers 200, no token: check token_url"):
            await target.hand_on(READING)
    assert server.bodies == []


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
def guarded(authority: Authority) -> Iterator[Server]:
    """It lets those in who have a certificate of the authority."""
    own = authority.server()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    tls.load_cert_chain(own.certificate, own.key)
    tls.verify_mode = ssl.CERT_REQUIRED
    with running(Server(), tls) as started:
        yield started


async def test_a_certificate_opens_the_door(guarded: Server, authority: Authority) -> None:
    own = authority.client("receiver-1")
    tls = context(authority.ca, own.certificate, own.key)
    async with opened(guarded, tls=tls) as target:
        await target.hand_on(READING)
    assert guarded.kinds() == WHOLE


async def test_without_a_certificate_or_with_a_strange_server_nothing_is_said(
    guarded: Server, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "strange", "another CA")
    own = authority.client("receiver-1")
    theirs = stranger.client("receiver-1")
    old = authority.client("receiver-2", life=-timedelta(days=1))
    broke = "the line broke; if it does so each time: do they accept `certificate`"
    no = "they refuse our certificate or our TLS"
    for tls, says in (
        (context(authority.ca, None, None), rf"{broke}|{no} \(certificate required\)"),
        (context(authority.ca, *files(theirs)), rf"{broke}|{no} \(unknown ca\)"),
        (context(authority.ca, *files(old)), rf"{broke}|{no} \(certificate expired\)"),
        (context(stranger.ca, *files(own)), "their certificate is not accepted"),
    ):
        async with opened(guarded, tls=tls) as target:
            with pytest.raises(TryAgain, match=says):
                await target.hand_on(READING)
    assert guarded.bodies == []


def files(identity: Identity) -> tuple[Path, Path]:
    return identity.certificate, identity.key


@pytest.mark.parametrize(
    ("reason", "before_work"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", True),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", True),
        ("TLSV1_ALERT_UNKNOWN_CA", True),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", True),
        ("TLSV1_ALERT_INTERNAL_ERROR", False),  # it may have been at work
        ("UNEXPECTED_EOF_WHILE_READING", False),
    ],
)
def test_an_alert_about_a_certificate_means_that_nothing_was_looked_at(
    reason: str, before_work: bool
) -> None:
    error = ssl.SSLError(1, "told by the other side")
    error.reason = reason
    assert refused(error) == before_work


async def test_a_server_whose_certificate_has_ended_is_said_so(authority: Authority) -> None:
    own = authority.server(life=-timedelta(days=1))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own.certificate, own.key)
    with running(Server(), tls) as server:
        async with opened(server, tls=context(authority.ca, None, None)) as target:
            with pytest.raises(NotSent, match="certificate has expired"):
                await target.hand_on(READING)


@pytest.mark.parametrize(
    ("life", "says"), [(-1, "ended on"), (3, "ends on .* renew it, and restart"), (300, None)]
)
async def test_before_our_certificate_ends_somebody_is_told(
    authority: Authority, life: int, says: str | None
) -> None:
    own = authority.client("receiver-1", life=timedelta(days=life))
    words = await Ending(own.certificate).look()
    assert (words is None) == (says is None)
    assert re.search(says or "", words or "")


async def test_of_what_a_server_calls_an_error_only_fhirs_own_codes_are_quoted(
    server: Server,
) -> None:
    server.trouble = [(422, outcome("value-is-one-seven-one")), (422, outcome("processing"))]
    async with opened(server) as target:
        for said in ("it answers 422", "it answers 422 (processing)"):
            with pytest.raises(Undeliverable) as refused_:
                await target.hand_on(READING)
            assert str(refused_.value) == said


async def test_an_answer_is_read_no_further_than_answers_are_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.onward_http.MAX_ANSWER", 10_000)
    long = b'{"x":"' + b"0" * 10_000_000 + b'"}'
    server.trouble = [(200, long), (422, long)]
    async with opened(server) as target:
        with pytest.raises(TryAgain, match="200, and more than 10000 octets"):
            await target.hand_on(READING)
        with pytest.raises(Undeliverable, match="422"):
            await target.hand_on(READING)
        await target.hand_on(READING)


async def test_what_comes_packed_is_not_unpacked(server: Server) -> None:
    packed = gzip.compress(json.dumps({"x": "0" * 1_000_000}).encode())
    server.trouble = [(200, packed, {"Content-Encoding": "gzip"})]
    async with opened(server) as target:
        with pytest.raises(TryAgain, match="packed, which was not asked for"):
            await target.hand_on(READING)
        await target.hand_on(READING)
    assert server.encodings == {"identity"}
