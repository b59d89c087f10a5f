"""Thermometers: Temperature Measurement (0x2A1C) with time.

One for the ear, which says so with every measurement, and one for a finger, which says so once.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from drivers.api import Kind, Value
from simulator.meters.octets import date_time, float32
from simulator.meters.push import Profile

TIME, TYPE = 0x02, 0x04  # flags; without any other: Celsius
EAR, FINGER = b"\x03", b"\x04"


def plausible(n: int) -> tuple[Value, ...]:
    return (Value(Kind.BODY_TEMPERATURE, Decimal(366 + 2 * n % 25).scaleb(-1), "Cel"),)


def encode(values: tuple[Value, ...], shown: datetime) -> bytes:
    return bytes([TIME | TYPE]) + _measured(values, shown) + EAR


def encode_without_place(values: tuple[Value, ...], shown: datetime) -> bytes:
    return bytes([TIME]) + _measured(values, shown)


def _measured(values: tuple[Value, ...], shown: datetime) -> bytes:
    return float32(values[0].number or Decimal(0)) + date_time(shown)


THERMOMETER = Profile(
    kind="thermometer",
    driver="sig_thermometer",
    service=0x1809,
    measurement=0x2A1C,
    features={0x2A1D: EAR},
    plausible=plausible,
    encode=encode,
)
FINGER_THERMOMETER = replace(THERMOMETER, features={0x2A1D: FINGER}, encode=encode_without_place)
