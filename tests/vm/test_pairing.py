"""Pairing with real BlueZ: windows, passkeys, bonds that are lost, an address that hides."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway import control_client
from simulator.home import Home
from simulator.meters.meter import Habits
from simulator.meters.push import PushMeter
from tests.vm.bluez import Bus
from tests.vm.conftest import PATIENT
from tests.vm.gateway import ANNA, LONG_S, Gateway, until
from tests.vm.test_bonds import KEYLESS_STOPS_KERNEL

SHOWN = 123456
SHOWS = pytest.mark.parametrize("habits", [replace(PATIENT, passkey=SHOWN)])
HIDES = pytest.mark.parametrize("habits", [replace(PATIENT, private=True)])


async def pair(
    gateway: Gateway, cuff: PushMeter, address: str | None = None, **details: Any
) -> list[dict[str, Any]]:
    """All that is told of a pairing window until it closes; the cuff is in pairing mode."""
    cuff.wake()
    news: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(LONG_S),
        control_client.conversation(
            gateway.socket,
            "pair",
            address=address or cuff.identity.address,
            driver=cuff.driver,
            **details,
        ) as told,
    ):
        async for line in told.lines():
            news.append(line["news"])
            if news[-1]["kind"] == "closed":
                break
    return news


async def give(gateway: Gateway, cuff: PushMeter, address: str | None = None) -> None:
    """The cuff is Anna's from a year ago; slot 1 is what it says."""
    await control_client.request(
        gateway.socket,
        "devices add",
        driver=cuff.driver,
        address=address or cuff.identity.address,
        patient=ANNA,
        slot=1,
        no_window=True,
        **{"from": "2025-11-25"},
    )


def bonds(news: list[dict[str, Any]]) -> list[str]:
    return [each["bond"] for each in news if each["kind"] == "paired"]


async def test_just_works_is_told_as_such_and_the_window_closes(
    home: Home, bus: Bus, gateway: Gateway
) -> None:
    news = await pair(gateway, home.cuff)
    assert bonds(news) == ["just-works"]
    assert (await bus.device(home.cuff.identity.address))["Bonded"]
    await give(gateway, home.cuff)
    home.cuff.measure()
    await gateway.until_readings(1)


@SHOWS
async def test_a_passkey_that_is_right_makes_a_bond(
    home: Home, habits: Habits, gateway: Gateway
) -> None:
    assert habits.passkey == SHOWN
    assert bonds(await pair(gateway, home.cuff, passkey=SHOWN)) == ["passkey"]
    await give(gateway, home.cuff)
    home.cuff.measure()
    await gateway.until_readings(1)


@SHOWS
async def test_a_wrong_passkey_is_refused_and_said(
    home: Home, habits: Habits, bus: Bus, gateway: Gateway
) -> None:
    assert habits.passkey == SHOWN
    news = await pair(gateway, home.cuff, passkey=SHOWN + 1)
    assert bonds(news) == []
    assert any("refuses the passkey" in each.get("words", "") for each in news)
    assert not (await bus.device(home.cuff.identity.address))["Paired"]


async def test_a_meter_that_was_registered_is_not_paired_without_a_window(
    home: Home, gateway: Gateway
) -> None:
    await give(gateway, home.cuff)
    home.cuff.measure()
    async with (
        asyncio.timeout(LONG_S),
        control_client.conversation(gateway.socket, "scan", seconds=60) as told,
    ):
        async for line in told.lines():
            assert line["heard"]["address"] == home.cuff.identity.address
            break
    await asyncio.sleep(3.0)
    assert await gateway.rows("SELECT id FROM sessions") == []


@pytest.mark.skipif(KEYLESS_STOPS_KERNEL, reason="a meter without its key stops this kernel")
async def test_a_meter_that_lost_its_bond_is_told_of_and_paired_again(
    home: Home, gateway: Gateway
) -> None:
    assert bonds(await pair(gateway, home.cuff)) == ["just-works"]
    await give(gateway, home.cuff)
    home.cuff.measure()
    await gateway.until_readings(1)
    await gateway.until("SELECT outcome FROM sessions ORDER BY id DESC LIMIT 1", ("complete",))
    await home.cuff.peripheral.forget()
    home.cuff.measure()

    async def told() -> bool:
        status = (await control_client.request(gateway.socket, "status"))["status"]
        return any(each["id"].startswith("meter-bond-lost") for each in status["conditions"])

    await until(told)
    assert bonds(await pair(gateway, home.cuff)) == ["just-works"]
    await gateway.until_readings(2)


@HIDES
async def test_a_meter_that_hides_its_address_is_known_by_the_one_that_lasts(
    home: Home, habits: Habits, gateway: Gateway
) -> None:
    assert habits.private
    home.cuff.wake()
    async with (
        asyncio.timeout(LONG_S),
        control_client.conversation(gateway.socket, "scan", seconds=60) as told,
    ):
        heard = await anext(told.lines())
    address = heard["heard"]["address"]
    assert address != home.cuff.identity.address
    assert bonds(await pair(gateway, home.cuff, address)) == ["just-works"]
    assert await gateway.rows("SELECT address FROM devices") == [(home.cuff.identity.address,)]
    await give(gateway, home.cuff)
    home.cuff.measure()
    await gateway.until_readings(1)
    await home.cuff.peripheral.sleep()
    await home.cuff.peripheral.hide_anew()
    home.cuff.measure()
    await gateway.until_readings(2)
