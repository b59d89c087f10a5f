"""After a boot the broker waits a minute for our clock, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from gateway import first_try
from gateway.backoff import Backoff
from gateway.certificate import not_before
from gateway.contract import Topics
from gateway.deliver import Deliver, Duty
from gateway.first_try import WAITING, clock_is_plausible
from gateway.live import UplinkFacts
from gateway.outbox.delivery import Resend
from gateway.uplink import Uplink, UplinkError
from simulator.pki import Authority, Identity
from tests.clock.home import Home
from tests.clock.quiet import Quiet, obey_nobody

LONG_S = 30.0  # no test waits for so long unless something is broken
YEARS = timedelta(days=1900)
BROKEN = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Authority(tmp_path_factory.mktemp("pki")).client("gw-0123456789")


@pytest.fixture
def home_at_boot(home: Home) -> Home:
    """Switched on half a minute ago; its clock is years behind."""
    home.box.at = datetime.now(UTC)
    home.box.booted = home.box.at - timedelta(seconds=30)
    home.box.error = -YEARS
    return home


async def test_it_waits_until_the_clock_is_set_and_says_so(
    home_at_boot: Home, identity: Identity
) -> None:
    facts = UplinkFacts()
    waits = asyncio.ensure_future(
        clock_is_plausible(home_at_boot.ours, identity.certificate, facts)
    )
    async with asyncio.timeout(LONG_S):
        while facts.last_error != WAITING:  # noqa: ASYNC110 - facts have no event
            await asyncio.sleep(0.01)
        assert not waits.done()
        home_at_boot.synchronise()
        await waits
    assert facts.last_error is None


@pytest.mark.parametrize(
    "written",
    [None, "", "no certificate", BROKEN.format("AAAA"), BROKEN.format("MAA="), BROKEN.format("?")],
)
async def test_a_certificate_that_cannot_be_read_is_a_matter_of_the_line(
    home_at_boot: Home, tmp_path: Path, written: str | None
) -> None:
    path = tmp_path / "gateway.pem"
    if written is not None:
        path.write_text(written)
    async with asyncio.timeout(LONG_S):
        await clock_is_plausible(home_at_boot.ours, path, UplinkFacts())


async def test_it_tries_after_a_minute_all_the_same(
    home_at_boot: Home, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first_try.CLOCK_S == 60.0
    monkeypatch.setattr(first_try, "CLOCK_S", 0.05)
    facts = UplinkFacts()
    async with asyncio.timeout(LONG_S):
        await clock_is_plausible(home_at_boot.ours, identity.certificate, facts)
    assert not home_at_boot.ours.trusted
    assert facts.last_error is None


async def test_long_after_a_boot_it_does_not_wait(home_at_boot: Home, identity: Identity) -> None:
    home_at_boot.box.booted -= timedelta(minutes=5)
    async with asyncio.timeout(LONG_S):
        await clock_is_plausible(home_at_boot.ours, identity.certificate, UplinkFacts())


async def test_a_clock_at_which_our_certificate_is_valid_already_is_plausible(
    home_at_boot: Home, identity: Identity
) -> None:
    home_at_boot.box.error = -timedelta(minutes=30)
    async with asyncio.timeout(LONG_S):
        await clock_is_plausible(home_at_boot.ours, identity.certificate, UplinkFacts())


async def test_it_ends_with_the_daemon(home_at_boot: Home, identity: Identity) -> None:
    waits = asyncio.ensure_future(
        clock_is_plausible(home_at_boot.ours, identity.certificate, UplinkFacts())
    )
    await asyncio.sleep(0.01)
    waits.cancel()
    with suppress(asyncio.CancelledError):
        await waits
    assert waits.cancelled()


def test_the_beginning_of_a_certificate_is_read(identity: Identity, tmp_path: Path) -> None:
    begun = not_before(identity.certificate)
    assert begun is not None
    assert timedelta(minutes=59) < datetime.now(UTC) - begun < timedelta(minutes=90)
    (tmp_path / "none.pem").write_text("no certificate")
    assert not_before(tmp_path / "none.pem") is None


class NotYetValid:
    """A broker whose certificate is of a time that our clock has not reached, until it is set."""

    def __init__(self, home: Home) -> None:
        self._home, self.tries = home, 0

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[None]:
        self.tries += 1
        if not self._home.ours.trusted:
            raise UplinkError("clock", "the broker's certificate is not valid yet")
        await asyncio.Event().wait()
        yield None


async def test_when_the_clock_is_set_a_certificate_that_was_not_valid_yet_is_tried_at_once(
    home_at_boot: Home,
) -> None:
    broker = NotYetValid(home_at_boot)
    topics = Topics("org1", "gw-0123456789")
    facts = UplinkFacts()
    deliver = Deliver(
        home_at_boot.store,
        cast("Uplink", broker),  # it has what Deliver asks of one
        Duty(topics, Resend(timedelta(hours=1), timedelta(hours=1)), True, (), 20),
        Quiet(),
        home_at_boot.ours,
        facts,
        Backoff(900.0, lambda _low, _high: 900.0),
        obey_nobody,
    )
    async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
        delivering = group.create_task(deliver.run())
        while facts.last_error is None:  # noqa: ASYNC110 - facts have no event
            await asyncio.sleep(0.01)
        assert "not valid yet" in facts.last_error
        home_at_boot.synchronise()
        while broker.tries < 2:  # noqa: ASYNC110 - a try has no event
            await asyncio.sleep(0.01)
        delivering.cancel()
