"""An ear thermometer: Temperature Measurement (0x2A1C) with time and place."""

from datetime import datetime
from decimal import Decimal

from drivers.api import Kind, Value
from simulator.meters.octets import date_time, float32
from simulator.meters.push import Profile

FLAGS = 0x06  # Celsius, with time stamp and temperature type
EAR = b"\x03"


def plausible(n: int) -> tuple[Value, ...]:
    return (Value(Kind.BODY_TEMPERATURE, Decimal(366 + 2 * n % 25).scaleb(-1), "Cel"),)


def encode(values: tuple[Value, ...], shown: datetime) -> bytes:
    return bytes([FLAGS]) + float32(values[0].number or Decimal(0)) + date_time(shown) + EAR


THERMOMETER = Profile(
    kind="thermometer",
    driver="sig_thermometer",
    service=0x1809,
    measurement=0x2A1C,
    features={0x2A1D: EAR},
    plausible=plausible,
    encode=encode,
)
