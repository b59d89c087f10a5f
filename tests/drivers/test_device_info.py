"""Device information: what a meter says of itself, and the one number that may identify it."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import device_information as dis
from drivers.api import Certification, DecodeError, DeviceInfo, PnpId, Udi
from drivers.common import CURRENT_TIME, DATE_TIME
from drivers.describe import characteristic_of
from drivers.device_information import device_info, eui64, renewed
from drivers.sig_thermometer import TEMPERATURE_TYPE
from tests.drivers.vectors import cases

CASES = cases("device_information")
GOOD = [case for case in CASES if "expected" in case]
REFUSED = [case for case in CASES if "expected_error" in case]
DECODERS: dict[UUID, Callable[[bytes], object]] = {
    dis.REGULATORY_CERTIFICATION: dis.certification,
    dis.UDI_FOR_MEDICAL_DEVICES: dis.udi,
    dis.PNP_ID: dis.pnp_id,
}
OCTETS = {case["id"]: bytes.fromhex(case["hex"]) for case in CASES}
TEXTS = {
    dis.MANUFACTURER_NAME: b"A&D Medical\0",
    dis.MODEL_NUMBER: b" UA-651BLE ",
    dis.SERIAL_NUMBER: b"5170900123\0\0\0",
    dis.HARDWARE_REVISION: b"1",
    dis.FIRMWARE_REVISION: b"BLP_ \xff",
    dis.SOFTWARE_REVISION: b"2",
    dis.SYSTEM_ID: bytes.fromhex("1c05fffeffe87400"),
}
SAID = DeviceInfo(
    manufacturer="A&D Medical",
    model="UA-651BLE",
    serial="5170900123",
    hardware="1",
    firmware="BLP_ \ufffd",
    software="2",
    system_id=bytes.fromhex("0074e8fffeff051c"),
)


class Meter:
    """Has what *values* say, and the characteristics of *writable*, which can be set."""

    def __init__(self, values: dict[UUID, bytes], *writable: UUID) -> None:
        self.values, self._writable = values, writable

    def has(self, characteristic: UUID) -> bool:
        return characteristic in self.values or characteristic in self._writable

    def writable(self, characteristic: UUID) -> bool:
        return characteristic in self._writable

    async def read(self, characteristic: UUID) -> bytes | None:
        return self.values.get(characteristic)


async def told(values: dict[UUID, bytes], *writable: UUID) -> DeviceInfo:
    meter = Meter(values, *writable)
    return await device_info(meter, meter.read)


def decode(case: dict[str, Any]) -> object:
    return DECODERS[characteristic_of(case["characteristic"])](bytes.fromhex(case["hex"]))


async def test_device_information_is_read_as_text_without_padding() -> None:
    assert await told(TEXTS) == SAID


async def test_a_meter_without_device_information_has_none() -> None:
    assert await told({}) == DeviceInfo()


async def test_approval_udi_and_product_are_read_beside_it() -> None:
    beside = {
        dis.REGULATORY_CERTIFICATION: OCTETS["cert-low-energy-unregulated"],
        dis.UDI_FOR_MEDICAL_DEVICES: OCTETS["udi-device-identifier-alone"],
        dis.PNP_ID: OCTETS["pnp-usb"],
    }
    assert await told({**TEXTS, **beside}) == replace(
        SAID,
        certification=Certification("6.0", (0x8007, 7), regulated=False),
        udi=Udi(device_identifier="00844588003288"),
        pnp_id=PnpId(2, 0x1234, 0x5678, 0x103),
    )


@pytest.mark.parametrize("nonsense", [b"", b"\xff", OCTETS["cert-ti-default"]])
async def test_a_nonsense_list_loses_nothing_else(nonsense: bytes) -> None:
    assert await told({**TEXTS, **dict.fromkeys(DECODERS, nonsense)}) == replace(
        SAID, pnp_id=PnpId(0xFE, 0x6500, 0x7078, 0x7265) if len(nonsense) > 6 else None
    )


def in_words(found: object) -> object:
    """As a vector has it."""
    if isinstance(found, PnpId):
        return found._asdict()
    if isinstance(found, Certification | Udi):
        return json.loads(json.dumps(asdict(found)))
    return found


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["id"])
def test_recorded_octets_are_decoded(case: dict[str, Any]) -> None:
    assert in_words(decode(case)) == case["expected"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
def test_octets_that_say_it_wrongly_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=r"^need "):
        decode(case)


EDITED = st.builds(
    lambda octets, at, piece: octets[: at % (len(octets) + 1)] + piece,
    st.sampled_from(list(OCTETS.values())),
    st.integers(0, 600),
    st.binary(max_size=6),
)


@given(st.sampled_from(list(DECODERS)), st.one_of(st.binary(max_size=512), EDITED))
def test_any_octets_are_decoded_or_refused(characteristic: UUID, octets: bytes) -> None:
    try:
        found = DECODERS[characteristic](octets)
    except DecodeError:
        return
    if isinstance(found, Udi):
        assert any(asdict(found).values())
        assert all(text.isprintable() for text in asdict(found).values())
    if isinstance(found, Certification):
        assert found != Certification()
        assert all(0 <= each < 0x10000 for each in found.interfaces)


@given(
    st.dictionaries(st.sampled_from([*TEXTS, *DECODERS, TEMPERATURE_TYPE]), st.binary(max_size=512))
)
async def test_any_device_information_is_read(values: dict[UUID, bytes]) -> None:
    assert isinstance(await told(values), DeviceInfo)


@pytest.mark.parametrize(
    ("offered", "settable", "clock"),
    [
        ((), (), ""),
        ((CURRENT_TIME,), (), "readable"),
        ((DATE_TIME,), (), "readable"),
        ((), (CURRENT_TIME,), "settable"),
        ((), (DATE_TIME,), "settable"),
        ((CURRENT_TIME,), (DATE_TIME,), "readable"),  # it is the other that is set and read
    ],
)
async def test_what_gatt_says_of_the_clock_is_told(
    offered: tuple[UUID, ...], settable: tuple[UUID, ...], clock: str
) -> None:
    assert (await told(dict.fromkeys(offered, b""), *settable)).clock == clock


@pytest.mark.parametrize("octets", [b"", bytes(8), b"\xff" * 8, bytes(7), b"\x01" * 9])
def test_a_system_id_that_identifies_nothing_is_none(octets: bytes) -> None:
    assert eui64(octets) == b""


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (b"\x03", "ear"),
        (b"\x04", "finger"),
        (b"\x00", ""),
        (b"\x0a", ""),
        (b"", ""),
        (b"\x04\x04", ""),
    ],
    ids=["ear", "finger", "reserved 0", "reserved 10", "empty", "too long"],
)
async def test_where_a_thermometer_always_measures_is_told_by_the_words_of_its_flag(
    octets: bytes, word: str
) -> None:
    assert await told({TEMPERATURE_TYPE: octets}) == DeviceInfo(temperature_type=word)


def test_news_replace_what_was_known_and_silence_does_not() -> None:
    known = replace(SAID, udi=Udi("label", "1"), certification=Certification("1.0"))
    news = DeviceInfo(firmware="2.0", udi=Udi(device_identifier="2"))
    assert renewed(known, news) == replace(known, firmware="2.0", udi=Udi(device_identifier="2"))
    assert renewed(known, DeviceInfo()) == known


def test_the_system_id_stays_for_the_identity_hangs_on_it() -> None:
    news = DeviceInfo(system_id=bytes(range(8)), clock="settable")
    assert renewed(SAID, news) == replace(SAID, clock="settable")
    assert renewed(DeviceInfo(), news) == DeviceInfo(clock="settable")
