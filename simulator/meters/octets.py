"""Numbers and times as meters send them."""

from datetime import datetime
from decimal import Decimal


def sfloat(number: Decimal) -> bytes:
    """IEEE 11073-20601 SFLOAT: 4 bits of exponent, 12 of mantissa."""
    mantissa, exponent = _parts(number)
    if not -2046 <= mantissa <= 2045 or not -8 <= exponent <= 7:
        raise ValueError(f"{number} does not fit an SFLOAT")
    return ((exponent & 0xF) << 12 | mantissa & 0xFFF).to_bytes(2, "little")


def float32(number: Decimal) -> bytes:
    """IEEE 11073-20601 FLOAT: 8 bits of exponent, 24 of mantissa."""
    mantissa, exponent = _parts(number)
    return ((exponent & 0xFF) << 24 | mantissa & 0xFFFFFF).to_bytes(4, "little")


def _parts(number: Decimal) -> tuple[int, int]:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise TypeError(f"{number} is no number that a meter sends")
    mantissa = int("".join(map(str, digits)))
    return (-mantissa if sign else mantissa), exponent


def date_time(moment: datetime) -> bytes:
    """Date Time (0x2A08), 7 octets."""
    return moment.year.to_bytes(2, "little") + bytes(
        (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    )


def current_time(moment: datetime) -> bytes:
    """Current Time (0x2A2B), 10 octets, no reason for an adjustment."""
    return date_time(moment) + bytes((moment.isoweekday(), 0, 0))


def from_current_time(octets: bytes) -> datetime:
    """Raises ValueError for what is no date."""
    return datetime(int.from_bytes(octets[:2], "little"), *octets[2:7])  # noqa: DTZ001 - a meter's clock is naive
