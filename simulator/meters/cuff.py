"""A blood-pressure cuff: Blood Pressure Measurement (0x2A35) with time, pulse, user and status."""

from datetime import datetime
from decimal import Decimal

from drivers.api import Kind, Value
from simulator.meters.octets import date_time, sfloat
from simulator.meters.push import Profile

FLAGS = 0x1E  # mmHg, with time stamp, pulse rate, user id and status
USER = b"\x01"
NO_STATUS = b"\x00\x00"


def plausible(n: int) -> tuple[Value, ...]:
    systolic, diastolic = 118 + 3 * n % 25, 74 + 2 * n % 15
    numbers = {
        Kind.SYSTOLIC: (systolic, "mm[Hg]"),
        Kind.DIASTOLIC: (diastolic, "mm[Hg]"),
        Kind.MEAN_PRESSURE: (diastolic + (systolic - diastolic) // 3, "mm[Hg]"),
        Kind.PULSE_RATE: (62 + 5 * n % 21, "/min"),
    }
    return tuple(Value(kind, Decimal(number), unit) for kind, (number, unit) in numbers.items())


def encode(values: tuple[Value, ...], shown: datetime) -> bytes:
    systolic, diastolic, mean, pulse = (sfloat(each.number or Decimal(0)) for each in values)
    pressures = systolic + diastolic + mean
    return bytes([FLAGS]) + pressures + date_time(shown) + pulse + USER + NO_STATUS


CUFF = Profile(
    kind="blood-pressure",
    driver="sig_blood_pressure",
    service=0x1810,
    measurement=0x2A35,
    features={0x2A49: b"\x00\x00"},
    plausible=plausible,
    encode=encode,
)
