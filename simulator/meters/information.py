"""What a virtual meter says of itself: the octets of Device Information (0x180A)."""

from collections.abc import Mapping, Sequence

from simulator.meters.meter import Identity

UNREGULATED = 0x8000
CONTINUA = 2


def information(identity: Identity) -> Mapping[int, bytes]:
    """By 16-bit UUID; what *identity* leaves empty is not offered."""
    offered = {
        0x2A29: identity.manufacturer.encode(),
        0x2A24: identity.model.encode(),
        0x2A25: identity.serial.encode(),
        0x2A26: identity.firmware.encode(),
        0x2A27: identity.hardware.encode(),
        0x2A28: identity.software.encode(),
        0x2A23: identity.system_id,
        0x2A2A: identity.certification,
        0x2A50: identity.pnp_id,
        0x2BFF: identity.udi,
    }
    return {short: value for short, value in offered.items() if value}


def certification(
    version: tuple[int, int] | None = None,
    interfaces: Sequence[int] = (),
    regulated: bool | None = None,
) -> bytes:
    """A Regulatory Certification Data List of Continua's two structures, those that are given."""
    entries = []
    if version is not None:
        classes = b"".join(_u16(each) for each in interfaces)
        entries.append(_entry(1, bytes(version) + _u16(len(interfaces)) + _counted(classes)))
    if regulated is not None:
        entries.append(_entry(2, _u16(0 if regulated else UNREGULATED)))
    return _u16(len(entries)) + _counted(b"".join(entries))


def udi(
    label: str | None = None,
    device_identifier: str | None = None,
    issuer: str | None = None,
    authority: str | None = None,
) -> bytes:
    """UDI for Medical Devices with the fields that are given."""
    told = (label, device_identifier, issuer, authority)
    flags = sum(1 << bit for bit, text in enumerate(told) if text is not None)
    texts = (text.encode() + b"\0" for text in told if text is not None)
    return bytes((flags,)) + b"".join(texts)


def _entry(structure: int, data: bytes) -> bytes:
    return bytes((CONTINUA, structure)) + _counted(data)


def _counted(octets: bytes) -> bytes:
    return _u16(len(octets)) + octets


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")
