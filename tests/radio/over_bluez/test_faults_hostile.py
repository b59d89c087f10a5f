"""Devices that are broken, or mean: each ends in a clear state, and the radio goes on."""

import logging

import pytest

from drivers.api import LinkError
from gateway.radio import AttError, Radio
from tests.fakes.bluez import FakeBluez
from tests.radio.home import BLOOD_PRESSURE, GLUCOSE, MODEL, take
from tests.radio.over_bluez.home import (
    ADDRESS,
    BONDED,
    CUFF,
    MEASUREMENT,
    OTHER,
    hear,
    hold,
    linked,
    name_of,
    orphans,
    pour,
    wake,
)

MANY = 5000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J\x07evil\n", "\ufffd[2J\ufffdevil\ufffd"),
        ("\u202efdp.exe", "\ufffdfdp.exe"),
        ("n" * 248, "n" * 248),
        ("n" * 5000, "n" * 248),
    ],
)
async def test_a_name_is_fit_to_be_shown(
    bluez: FakeBluez, radio: Radio, name: str, shown: str
) -> None:
    await bluez.do("meter", **CUFF | {"address": OTHER, "name": name})
    await bluez.do("awake", address=OTHER, on=True)
    assert await name_of(radio, OTHER) == shown


async def test_services_that_vanish_are_an_error_of_the_link(
    bluez: FakeBluez, radio: Radio
) -> None:
    await hold(radio)
    await wake(bluez)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        await bluez.do("vanish", address=ADDRESS)
        with pytest.raises(LinkError):
            await link.read(MODEL)
    await hear(radio)


async def test_a_characteristic_that_is_missing_is_refused_by_name(
    bluez: FakeBluez, radio: Radio
) -> None:
    await radio.hold(ADDRESS, [GLUCOSE])
    await wake(bluez)
    async with linked(radio) as link:
        with pytest.raises(AttError, match="no characteristic"):
            await link.subscribe(GLUCOSE)
        assert link.connected


async def test_of_a_characteristic_that_is_there_twice_the_first_is_meant(
    bluez: FakeBluez, radio: Radio
) -> None:
    twice = {"1810": {MEASUREMENT: {"flags": ["indicate"]}}, "181d": {MEASUREMENT: {"flags": []}}}
    await bluez.do("meter", **BONDED | {"services": twice})
    await hold(radio)
    await pour(bluez, "0001", after_s=0.1)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        assert [frame.octets.hex() for frame in await take(link, 1)] == ["0001"]


@pytest.mark.parametrize("octets", ["", "ff" * 512])
async def test_a_frame_of_any_length_comes_as_it_was_sent(
    bluez: FakeBluez, radio: Radio, octets: str
) -> None:
    await hold(radio)
    await wake(bluez)
    async with linked(radio) as link:
        await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=octets)
        assert await orphans(radio, 1) == [octets]
        await link.subscribe(BLOOD_PRESSURE)
        await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets=octets)
        assert [frame.octets.hex() for frame in await take(link, 1)] == [octets]


async def test_a_device_that_never_stops_can_be_hung_up_on(bluez: FakeBluez, radio: Radio) -> None:
    await hold(radio)
    await pour(bluez, *["0001"] * MANY, interval_s=0.001)
    async with linked(radio) as link:
        await link.subscribe(BLOOD_PRESSURE)
        await take(link, 100)
    await hear(radio)


async def test_no_log_line_bears_a_payload_or_a_name(
    bluez: FakeBluez, radio: Radio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="gateway")
    await bluez.do("meter", **BONDED | {"name": "CANARY-NAME"})
    await hold(radio)
    await wake(bluez)
    async with linked(radio) as link:
        await bluez.do("say", address=ADDRESS, characteristic=MEASUREMENT, octets="c0ffee77")
        await link.subscribe(BLOOD_PRESSURE)
        await bluez.die()
        with pytest.raises(LinkError):
            await link.read(MODEL)
    said = caplog.text.lower()
    assert "gone" in said
    assert not any(each in said for each in ("c0ffee77", "canary", str(bytes.fromhex("c0ffee77"))))
