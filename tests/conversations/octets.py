"""Blood Pressure Measurements (0x2A35) that the virtual cuff does not send by itself."""

from dataclasses import replace

from drivers.api import Frame, sig_uuid
from simulator.meters.meter import Measured
from simulator.meters.octets import date_time

MEASUREMENT = sig_uuid(0x2A35)
NO_NUMBER = b"\xff\x07"  # SFLOAT: not a number


def pressure(
    measured: Measured, *, user: int | None = 1, dated: bool = True, pulse: bytes | None = None
) -> Measured:
    """The same act, told in other words: 121/79 (93) mmHg."""
    flags = (dated and 2) | (4 if pulse else 0) | (0 if user is None else 8)
    octets = bytes([flags]) + b"\x79\x00\x4f\x00\x5d\x00"
    octets += date_time(measured.taken_at) if dated else b""
    octets += pulse or b""
    octets += b"" if user is None else bytes([user])
    return raw(measured, octets)


def raw(measured: Measured, octets: bytes) -> Measured:
    """The same act, told in these octets."""
    return replace(measured, frames=(Frame(MEASUREMENT, octets),))
