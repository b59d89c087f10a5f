"""A finger oximeter: PLX Spot-Check Measurement (0x2A5E) with time and pulse amplitude."""

from datetime import datetime
from decimal import Decimal

from drivers.api import Kind, Value
from simulator.meters.octets import date_time, sfloat
from simulator.meters.push import Profile

FLAGS = 0x09  # with time stamp and pulse amplitude index
FEATURES = 0x0004 | 0x0040  # keeps readings and their time, pulse amplitude index


def plausible(n: int) -> tuple[Value, ...]:
    return (
        Value(Kind.OXYGEN_SATURATION, Decimal(95 + n % 5), "%"),
        Value(Kind.PULSE_RATE, Decimal(64 + 7 * n % 30), "/min"),
        Value(Kind.PULSE_AMPLITUDE_INDEX, Decimal(31 + n % 9).scaleb(-1), "%"),
    )


def encode(values: tuple[Value, ...], shown: datetime) -> bytes:
    saturation, pulse, amplitude = (sfloat(each.number or Decimal(0)) for each in values)
    return bytes([FLAGS]) + saturation + pulse + date_time(shown) + amplitude


OXIMETER = Profile(
    kind="pulse-oximeter",
    driver="sig_pulse_oximeter",
    service=0x1822,
    measurement=0x2A5E,
    features={0x2A60: FEATURES.to_bytes(2, "little")},
    plausible=plausible,
    encode=encode,
)
