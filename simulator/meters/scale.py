"""A scale: Weight Measurement (0x2A9D) in steps of 5 g, with time and user."""

from datetime import datetime
from decimal import Decimal

from drivers.api import Kind, Value
from simulator.meters.octets import date_time
from simulator.meters.push import Profile

FLAGS = 0x06  # kilograms, with time stamp and user id
USER = b"\x01"
STEP = Decimal("0.005")  # kg, the resolution of the characteristic
FEATURES = 0x0000_0002  # several users; resolution not stated


def plausible(n: int) -> tuple[Value, ...]:
    return (Value(Kind.BODY_WEIGHT, STEP * (14520 + 13 * n % 90), "kg"),)


def encode(values: tuple[Value, ...], shown: datetime) -> bytes:
    steps = int((values[0].number or Decimal(0)) / STEP)
    return bytes([FLAGS]) + steps.to_bytes(2, "little") + date_time(shown) + USER


SCALE = Profile(
    kind="weight",
    driver="sig_weight_scale",
    service=0x181D,
    measurement=0x2A9D,
    features={0x2A9E: FEATURES.to_bytes(4, "little")},
    plausible=plausible,
    encode=encode,
)
