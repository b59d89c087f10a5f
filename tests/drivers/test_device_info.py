"""Device information, and the one number in it that may identify a meter."""

from uuid import UUID

import pytest

from drivers import common
from drivers.api import DeviceInfo
from drivers.common import device_info, eui64

COMPLETE = {
    common.MANUFACTURER_NAME: b"A&D Medical\0",
    common.MODEL_NUMBER: b" UA-651BLE ",
    common.SERIAL_NUMBER: b"5170900123\0\0\0",
    common.HARDWARE_REVISION: b"1",
    common.FIRMWARE_REVISION: b"BLP_ \xff",
    common.SOFTWARE_REVISION: b"2",
    common.SYSTEM_ID: bytes.fromhex("1c05fffeffe87400"),
}


async def test_device_information_is_read_as_text_without_padding() -> None:
    async def read(characteristic: UUID) -> bytes | None:
        return COMPLETE[characteristic]

    assert await device_info(read) == DeviceInfo(
        manufacturer="A&D Medical",
        model="UA-651BLE",
        serial="5170900123",
        hardware="1",
        firmware="BLP_ \ufffd",
        software="2",
        system_id=bytes.fromhex("0074e8fffeff051c"),
    )


async def test_a_meter_without_device_information_has_none() -> None:
    async def read(_: UUID) -> bytes | None:
        return None

    assert await device_info(read) == DeviceInfo()


@pytest.mark.parametrize("octets", [b"", bytes(8), b"\xff" * 8, bytes(7), b"\x01" * 9])
def test_a_system_id_that_identifies_nothing_is_none(octets: bytes) -> None:
    assert eui64(octets) == b""
