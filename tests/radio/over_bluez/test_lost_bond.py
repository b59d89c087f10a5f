"""A meter that does not know our key any more, as BlueZ words it; and one that never had one."""

from typing import Any

import pytest

from drivers.api import LinkError
from gateway.guests import BondLost
from gateway.radio import Radio
from tests.fakes.bluez import FakeBluez
from tests.radio.over_bluez.home import ADDRESS, CUFF, OTHER, hear, wake

REFUSED: dict[str, Any] = {
    "method": "Connect",
    "name": "Failed",
    "text": "br-connection-canceled",
}


async def test_a_key_that_the_meter_refuses_is_a_lost_bond_at_once(
    bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    await hear(radio)
    await bluez.do("fail", **REFUSED)
    with pytest.raises(BondLost):
        async with radio.connect(ADDRESS):
            pass
    assert radio.counters.bond_errors == 1
    async with radio.connect(ADDRESS) as link:
        assert await link.bonded()


async def test_the_same_from_a_meter_without_a_bond_is_a_failed_link(
    bluez: FakeBluez, radio: Radio
) -> None:
    await bluez.do("meter", **(CUFF | {"address": OTHER}))
    await bluez.do("awake", address=OTHER, on=True)
    await hear(radio, OTHER)
    await bluez.do("fail", **REFUSED)
    with pytest.raises(LinkError) as failed:
        async with radio.connect(OTHER):
            pass
    assert not isinstance(failed.value, BondLost)
    assert radio.counters.bond_errors == 0


ABORTED: dict[str, Any] = {
    "method": "Encrypt",
    "name": "Failed",
    "text": "le-connection-abort-by-local",
}


async def test_a_link_that_is_taken_down_again_and_again_is_a_lost_bond(
    bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    await hear(radio)
    await bluez.do("fail", times=1000, **ABORTED)
    with pytest.raises(BondLost, match="taken down 5 times"):
        async with radio.connect(ADDRESS):
            pass
    assert radio.counters.bond_errors == 1


async def test_a_link_that_is_taken_down_a_few_times_is_made_all_the_same(
    bluez: FakeBluez, radio: Radio
) -> None:
    await wake(bluez)
    await hear(radio)
    await bluez.do("fail", times=3, **ABORTED)
    async with radio.connect(ADDRESS) as link:
        assert link.connected
    assert radio.counters.bond_errors == 0


async def test_without_a_bond_it_is_a_failed_link(bluez: FakeBluez, radio: Radio) -> None:
    await bluez.do("meter", **(CUFF | {"address": OTHER}))
    await bluez.do("awake", address=OTHER, on=True)
    await hear(radio, OTHER)
    await bluez.do("fail", times=1000, **ABORTED)
    with pytest.raises(LinkError, match="taken down 5 times") as failed:
        async with radio.connect(OTHER):
            pass
    assert not isinstance(failed.value, BondLost)
