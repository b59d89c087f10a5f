"""What a meter says of itself: the Device Information Service (0x180A).

    2A29 2A24 2A25 2A27 2A26 2A28   maker, model, serial number, hardware, firmware, software: UTF-8
    2A23 System ID   5 octets of the maker's, 3 of its OUI, least significant first
    2A50 PnP ID      u8 whose numbers (1 Bluetooth SIG, 2 USB), u16 maker, u16 product, u16 version
    2BFF UDI         u8 flags, then UTF-8 that ends with a zero: [b0 label], [b1 device identifier],
                     [b2 OID of who issued it], [b3 OID of the authority]
    2A1D Temperature Type   of the thermometer's service; read with the rest, for it stays
    2A2A Regulatory Certification Data List, most significant octet first:
                     u16 entries, u16 octets; an entry: u8 body, u8 structure, u16 octets, data
                     Continua (2), 1: u8.u8 version, u16 interfaces, u16 octets, u16 each
                     Continua (2), 2: u16 bits, the first of them: not regulated

Sources: Bluetooth GATT Specification Supplement; for 2A2A, which it leaves to IEEE 11073-20601 and
Continua, published implementations of these (tests/vectors/device_information.json).
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Protocol, TypeVar
from uuid import UUID

from drivers.api import Certification, DecodeError, DeviceInfo, PnpId, Udi, sig_uuid
from drivers.codec import Reader
from drivers.common import clock_of
from drivers.sig_thermometer import TEMPERATURE_TYPE, temperature_type

SYSTEM_ID = sig_uuid(0x2A23)
MODEL_NUMBER = sig_uuid(0x2A24)
SERIAL_NUMBER = sig_uuid(0x2A25)
FIRMWARE_REVISION = sig_uuid(0x2A26)
HARDWARE_REVISION = sig_uuid(0x2A27)
SOFTWARE_REVISION = sig_uuid(0x2A28)
MANUFACTURER_NAME = sig_uuid(0x2A29)
REGULATORY_CERTIFICATION = sig_uuid(0x2A2A)
PNP_ID = sig_uuid(0x2A50)
UDI_FOR_MEDICAL_DEVICES = sig_uuid(0x2BFF)

CONTINUA = 2  # the body whose structures are these
VERSION_AND_INTERFACES, REGULATION = 1, 2
UNREGULATED = 0x8000  # bit 0 of IEEE 11073's BITS-16 is the most significant
UDI_FIELDS = ("label", "device_identifier", "issuer", "authority")  # by the bits of the flags

T = TypeVar("T")


class Offer(Protocol):
    """What a meter's GATT database has."""

    def has(self, characteristic: UUID) -> bool: ...

    def writable(self, characteristic: UUID) -> bool: ...


async def device_info(offer: Offer, read: Callable[[UUID], Awaitable[bytes | None]]) -> DeviceInfo:
    """All that a meter says of itself, by *read*, which gives None for what it does not have.

    What does not decode is left out, and loses nothing else.
    """

    async def text(characteristic: UUID) -> str:
        octets = await read(characteristic) or b""
        return octets.decode("utf-8", "replace").split("\0")[0].strip()

    async def decoded(characteristic: UUID, decode: Callable[[bytes], T]) -> T | None:
        octets = await read(characteristic)
        try:
            return decode(octets) if octets else None
        except DecodeError:
            return None

    clock = clock_of(offer.has)
    settable = clock is not None and offer.writable(clock)
    return DeviceInfo(
        manufacturer=await text(MANUFACTURER_NAME),
        model=await text(MODEL_NUMBER),
        serial=await text(SERIAL_NUMBER),
        hardware=await text(HARDWARE_REVISION),
        firmware=await text(FIRMWARE_REVISION),
        software=await text(SOFTWARE_REVISION),
        system_id=eui64(await read(SYSTEM_ID) or b""),
        certification=await decoded(REGULATORY_CERTIFICATION, certification),
        udi=await decoded(UDI_FOR_MEDICAL_DEVICES, udi),
        pnp_id=await decoded(PNP_ID, pnp_id),
        clock="settable" if settable else "readable" if clock else "",
        temperature_type=await decoded(TEMPERATURE_TYPE, temperature_type) or "",
    )


def renewed(known: DeviceInfo, told: DeviceInfo) -> DeviceInfo:
    """What is *told* now, and what was *known* where nothing is told any more.

    The System ID stays as it was: the identity of the meter hangs on it.
    """
    news = {each.name: getattr(told, each.name) for each in fields(told)}
    said = {name: value for name, value in news.items() if value and name != "system_id"}
    return replace(known, **said)


def eui64(octets: bytes) -> bytes:
    """A System ID as the EUI-64 is written; empty if it identifies nothing (all 00, all FF)."""
    if len(octets) != 8 or octets in (bytes(8), b"\xff" * 8):
        return b""
    return octets[::-1]


def pnp_id(octets: bytes) -> PnpId:
    """Raises DecodeError."""
    reader = Reader(octets)
    return PnpId(reader.u8(), reader.u16(), reader.u16(), reader.u16())


def udi(octets: bytes) -> Udi | None:
    """None if it names nothing. Raises DecodeError: cut short, it would name another device."""
    flags, rest = Reader(octets).u8(), octets[1:]
    said: dict[str, str] = {}
    for bit, name in enumerate(UDI_FIELDS):
        if flags >> bit & 1:
            text, end, rest = rest.partition(b"\0")
            if not end:
                raise DecodeError(f"need a zero after the {name}, got the end")
            said[name] = _readable(text)
    return Udi(**said) if any(said.values()) else None


def _readable(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise DecodeError("need UTF-8") from error
    if not text.isprintable():
        raise DecodeError("need text that can be read")
    return text


def certification(octets: bytes) -> Certification | None:
    """What Continua's structures say; None if none of them is there. Raises DecodeError."""
    outer = Reader(octets)
    entries, size = _u16(outer), _u16(outer)
    inner = Reader(outer.take(size))
    found = Certification()
    for _ in range(entries):
        body, structure = inner.u8(), inner.u8()
        data = Reader(inner.take(_u16(inner)))
        if (body, structure) == (CONTINUA, VERSION_AND_INTERFACES):
            version = f"{data.u8()}.{data.u8()}"
            found = replace(found, version=version, interfaces=_interfaces(data))
        elif (body, structure) == (CONTINUA, REGULATION):
            found = replace(found, regulated=not _u16(data) & UNREGULATED)
    return None if found == Certification() else found


def _interfaces(data: Reader) -> tuple[int, ...]:
    """Each once, in the order told."""
    count, size = _u16(data), _u16(data)
    if size != 2 * count:
        raise DecodeError(f"need {2 * count} octets for {count} interfaces, got {size}")
    return tuple(dict.fromkeys(_u16(data) for _ in range(count)))


def _u16(reader: Reader) -> int:
    return int.from_bytes(reader.take(2), "big")
