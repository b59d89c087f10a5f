"""Octets to numbers and back: little-endian, bounds-checked, Decimal and never float.

Sources: Bluetooth GATT Specification Supplement (medfloat16, medfloat32, Date Time), IEEE
11073-20601 (special values), CGM Service (E2E-CRC).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from drivers.api import Absent, Code, DecodeError, Kind, Value

# Whole-word codes: with another exponent the same mantissa is an ordinary number.
SFLOAT_SPECIALS: Mapping[int, Absent] = {
    0x07FE: Absent.POSITIVE_INFINITY,
    0x07FF: Absent.NOT_A_NUMBER,
    0x0800: Absent.NOT_AT_THIS_RESOLUTION,
    0x0801: Absent.RESERVED,
    0x0802: Absent.NEGATIVE_INFINITY,
}
FLOAT_SPECIALS: Mapping[int, Absent] = {
    0x007FFFFE: Absent.POSITIVE_INFINITY,
    0x007FFFFF: Absent.NOT_A_NUMBER,
    0x00800000: Absent.NOT_AT_THIS_RESOLUTION,
    0x00800001: Absent.RESERVED,
    0x00800002: Absent.NEGATIVE_INFINITY,
}

FIRST_YEAR = 1582  # GSS Date Time: 1582..9999; 0 says that the meter does not know

CRC_POLYNOMIAL = 0x8408  # 0x1021 reflected; with the start value below: CRC-16/MCRF4XX
CRC_START = 0xFFFF


class Number(NamedTuple):
    """A number with the precision sent, or the reason why there is none."""

    number: Decimal | None
    absent: Absent | None = None

    def shifted(self, digits: int) -> "Number":
        """The same digits *digits* powers of ten higher: exact, the precision stays."""
        return self if self.number is None else Number(self.number.scaleb(digits))

    def value(self, kind: Kind, unit: str) -> Value:
        return Value(kind, self.number, unit, self.absent)


class Stamp(NamedTuple):
    """A device's Date Time; *raw* keeps the octets of one that no calendar knows."""

    at: datetime | None = None
    raw: bytes = b""


class Reader:
    """Reads fields in order and cannot run past the end: DecodeError."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next *count* octets."""
        end = self._at + count
        if end > len(self._octets):
            raise DecodeError(f"need {end} octets, got {len(self._octets)}")
        taken = self._octets[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        """Whatever is left, possibly nothing."""
        return self.take(len(self._octets) - self._at)

    def trailing(self, announced: int) -> bytes:
        """What a measurement has after its last field, *announced* by flags reserved today.

        Those are fields of a later version of the profile, and what comes before them is as it was.
        Octets that no flag announces are the sign of a frame that does not keep to the profile: a
        field came without its flag, and none after it is where it is read. Raises DecodeError.
        """
        size = self._at
        rest = self.rest()
        if rest and not announced:
            raise DecodeError(
                f"need {size} octets, got {len(self._octets)}: no flag announces the rest, so this"
                " meter does not keep to its profile and cannot be read by it"
            )
        return rest

    def u8(self) -> int:
        return self._unsigned(1)

    def u16(self) -> int:
        return self._unsigned(2)

    def u24(self) -> int:
        return self._unsigned(3)

    def u32(self) -> int:
        return self._unsigned(4)

    def u48(self) -> int:
        return self._unsigned(6)

    def s8(self) -> int:
        return _signed(self._unsigned(1), 8)

    def s16(self) -> int:
        return _signed(self._unsigned(2), 16)

    def sfloat(self) -> Number:
        return sfloat(self._unsigned(2))

    def float32(self) -> Number:
        return float32(self._unsigned(4))

    def date_time(self) -> Stamp:
        return date_time(self.take(7))

    def _unsigned(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")


def sfloat(word: int) -> Number:
    """A medfloat16: exponent in the high 4 bits, mantissa in the low 12, two's complement."""
    if (absent := SFLOAT_SPECIALS.get(word)) is not None:
        return Number(None, absent)
    return Number(Decimal(_signed(word & 0xFFF, 12)).scaleb(_signed(word >> 12, 4)))


def float32(word: int) -> Number:
    """A medfloat32: exponent in the high 8 bits, mantissa in the low 24, two's complement."""
    if (absent := FLOAT_SPECIALS.get(word)) is not None:
        return Number(None, absent)
    return Number(Decimal(_signed(word & 0xFFFFFF, 24)).scaleb(_signed(word >> 24, 8)))


def scaled(count: int, exponent: int) -> Number:
    """An integer field that counts units of 10 to the power *exponent*."""
    return Number(Decimal(count).scaleb(exponent))


def plain(number: Decimal) -> str:
    """Plain notation in the precision sent: "117.920", "20470"; never an exponent."""
    return f"{number:f}"


def date_time(octets: bytes) -> Stamp:
    """Seven octets of Date Time. Unknown (0) or impossible parts: no time, octets kept."""
    year = int.from_bytes(octets[:2], "little")
    if year < FIRST_YEAR:
        return Stamp(None, octets)
    try:
        return Stamp(datetime(year, *octets[2:7]))  # noqa: DTZ001 - a device's clock has no zone
    except ValueError:
        return Stamp(None, octets)


def date_time_octets(at: datetime) -> bytes:
    """The seven octets of Date Time that say *at*, to the second."""
    parts = (at.month, at.day, at.hour, at.minute, at.second)
    return at.year.to_bytes(2, "little") + bytes(parts)


def crc16(octets: bytes) -> int:
    """The E2E-CRC over *octets*."""
    crc = CRC_START
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (CRC_POLYNOMIAL if crc & 1 else 0)
    return crc


def flagged(bits: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """The names of the set bits; bits without a name are reserved and ignored."""
    return tuple(name for bit, name in names.items() if bits >> bit & 1)


def coded(system: str, number: int, names: Mapping[int, str]) -> Code:
    """The name of an enumerated field's *number*; one without a name is "reserved-N"."""
    return Code(system, names.get(number, f"reserved-{number}"))


def _signed(word: int, bits: int) -> int:
    return word - (1 << bits) if word >> (bits - 1) else word
