"""Weight Scale Profile (service 0x181D).

Weight Measurement (2A9D, indicated), little-endian:

    flags u8   b0 unit: 0 kg and m, 1 lb and in   b1 time   b2 user   b3 BMI and height
    weight u16, in 0.005 kg or 0.01 lb; 0xFFFF: measurement unsuccessful
               0 as well: nobody weighs nothing, and as a number it would be a fall to zero
    [b1] Date Time, 7 octets   [b2] user u8   [b3] BMI u16 in 0.1 kg/m2,
                                                   height u16 in 0.001 m or 0.1 in
                                                   0 or 0xFFFF: the scale was not told a height

Source: Bluetooth GATT Specification Supplement, Weight Measurement.
"""

from drivers.api import Absent, Driver, Kind, Reading, Value, sig_uuid
from drivers.codec import Number, Reader, Stamp, scaled
from drivers.push import decode_each, frame_key, listen

SERVICE = sig_uuid(0x181D)
MEASUREMENT = sig_uuid(0x2A9D)

RESERVED = 0xF0  # flags
UNSUCCESSFUL = (0, 0xFFFF)  # weights
UNKNOWN = (0, 0xFFFF)  # a height, and the BMI that is computed with it
UNKNOWN_USER = 0xFF


def measurement(octets: bytes) -> Reading:
    """Weight Measurement."""
    reader = Reader(octets)
    flags = reader.u8()
    imperial = bool(flags & 1)
    weight = _weight(reader.u16(), imperial)
    stamp = reader.date_time() if flags & 2 else Stamp()
    user = reader.u8() if flags & 4 else UNKNOWN_USER
    body = _bmi_and_height(reader, imperial) if flags & 8 else ()
    return Reading(
        values=(weight, *body),
        taken_at=stamp.at,
        taken_at_raw=stamp.raw,
        user=None if user == UNKNOWN_USER else user,
        trailing=reader.trailing(flags & RESERVED),
    )


def _weight(count: int, imperial: bool) -> Value:
    unit = "[lb_av]" if imperial else "kg"
    if count in UNSUCCESSFUL:
        number = Number(None, Absent.UNSUCCESSFUL)
    else:
        number = scaled(count, -2) if imperial else scaled(count * 5, -3)
    return number.value(Kind.BODY_WEIGHT, unit)


def _bmi_and_height(reader: Reader, imperial: bool) -> tuple[Value, Value]:
    bmi, height = reader.u16(), reader.u16()
    exponent, unit = (-1, "[in_i]") if imperial else (-3, "m")
    return (
        _known(bmi, -1).value(Kind.BMI, "kg/m2"),
        _known(height, exponent).value(Kind.BODY_HEIGHT, unit),
    )


def _known(count: int, exponent: int) -> Number:
    return Number(None, Absent.UNKNOWN) if count in UNKNOWN else scaled(count, exponent)


DRIVER = Driver(
    name="sig_weight_scale",
    title="Weight scale (Bluetooth SIG profile)",
    specialization="weight",
    service=SERVICE,
    data=(MEASUREMENT,),
    readable=(MEASUREMENT,),
    decode=decode_each({MEASUREMENT: measurement}),
    converse=listen(MEASUREMENT),
    key=frame_key(MEASUREMENT, measurement),
)
