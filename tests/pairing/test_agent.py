"""The pairing agent on a fake bluetoothd: there while somebody is expected, and for nobody else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.guests import BondError, Passkey
from gateway.radio import Radio
from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus
from tests.pairing.patience import until_true
from tests.radio.over_bluez.home import ADDRESS, CUFF, OTHER, hear, linked, radio_at, wake

SHOWN = 123456


def typed(number: int | None) -> Passkey:
    async def passkey() -> int | None:
        return number

    return passkey


@pytest.fixture
async def bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with private_bus() as address:
        monkeypatch.setenv(ENVIRONMENT, address)
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[FakeBluez]:
    async with fake_bluez(bus) as fake:
        await fake.do("meter", **CUFF)
        yield fake


@pytest.fixture
async def radio(bluez: FakeBluez, tmp_path: Path) -> AsyncIterator[Radio]:
    async with radio_at(tmp_path) as radio:
        yield radio


def state(bluez: FakeBluez, **expected: Any) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        found = await bluez.do("state")
        return {key: found[key] for key in expected} == expected

    return holds


async def test_with_nobody_expected_there_is_no_agent_and_no_bond(
    bluez: FakeBluez, radio: Radio
) -> None:
    await until_true(state(bluez, agents=[], pairable=False))
    assert not (await bluez.do("ask", address=ADDRESS, method="RequestAuthorization"))["accepted"]
    await wake(bluez)
    async with linked(radio) as link:
        with pytest.raises(BondError, match="no pairing window"):
            await link.bond()


async def test_the_agent_comes_with_a_guest_and_goes_with_the_last(
    bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    await hear(radio)
    await radio.expect({ADDRESS: None})
    await until_true(state(bluez, agents=["NoInputNoOutput"], pairable=True))
    await radio.expect({ADDRESS: typed(SHOWN)})
    await until_true(state(bluez, agents=["KeyboardDisplay"], pairable=True))
    await radio.expect({})
    await until_true(state(bluez, agents=[], pairable=False))


async def test_only_the_expected_meter_is_answered(bluez: FakeBluez, radio: Radio) -> None:
    await hear_of(bluez, radio)
    await radio.expect({ADDRESS: typed(SHOWN)})
    for method in ("RequestAuthorization", "RequestPasskey"):
        assert (await bluez.do("ask", address=ADDRESS, method=method))["accepted"]
        assert not (await bluez.do("ask", address=OTHER, method=method))["accepted"]


async def test_numbers_are_compared_with_what_the_person_reads(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hear_of(bluez, radio)
    await radio.expect({ADDRESS: typed(SHOWN)})
    for number, same in ((SHOWN, True), (SHOWN + 1, False)):
        asked = await bluez.do("ask", address=ADDRESS, method="RequestConfirmation", number=number)
        assert asked["accepted"] is same


async def test_a_bond_by_passkey_is_told_from_just_works(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("passkey", value=SHOWN)
    await wake(bluez)
    await hear(radio)
    await radio.expect({ADDRESS: typed(SHOWN)})
    async with radio.connect(ADDRESS) as link:
        assert not await link.bonded()
        assert await link.bond() == "passkey"
        assert await link.bonded()
    async with linked(radio) as link:
        assert await link.bond() == "before"


@pytest.mark.parametrize(("number", "answered"), [(SHOWN + 1, True), (None, False)])
async def test_a_bond_that_a_passkey_prevents_says_which(
    bluez: FakeBluez, radio: Radio, number: int | None, answered: bool
) -> None:
    await bluez.do("passkey", value=SHOWN)
    await wake(bluez)
    await hear(radio)
    await radio.expect({ADDRESS: typed(number)})
    async with radio.connect(ADDRESS) as link:
        with pytest.raises(BondError) as refused:
            await link.bond()
    assert (refused.value.asked, refused.value.answered) == (True, answered)
    assert radio.counters.bond_errors == 1


async def test_each_new_bluetoothd_is_told_of_the_agent(
    bus: str, bluez: FakeBluez, radio: Radio
) -> None:
    await hear_of(bluez, radio)
    await radio.expect({ADDRESS: None})
    await bluez.die()
    async with fake_bluez(bus) as second:
        await until_true(state(second, agents=["NoInputNoOutput"], pairable=True))
        await radio.expect({})
        await until_true(state(second, agents=[], pairable=False))


async def test_a_bond_is_deleted_without_the_meter(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("meter", **(CUFF | {"address": OTHER, "bonded": True}))
    await radio.forget(OTHER)
    assert (await bluez.do("calls", method="RemoveDevice"))["calls"] == ["RemoveDevice"]
    await radio.forget(OTHER)  # there is none any more


async def hear_of(bluez: FakeBluez, radio: Radio) -> None:
    """Until the radio has found its bluetoothd."""
    await until_true(state(bluez, pairable=False))
