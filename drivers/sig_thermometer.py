"""Health Thermometer Profile (service 0x1809).

Temperature Measurement (2A1C, indicated), little-endian:

    flags u8   b0 unit: 0 degree Celsius, 1 degree Fahrenheit   b1 time   b2 type
    temperature FLOAT   [b1] Date Time, 7 octets   [b2] type u8, where on the body

A thermometer that is used in one place alone may say so once, in Temperature Type (2A1D, read): the
same u8. What a measurement says itself goes before it.

Source: Bluetooth GATT Specification Supplement, Temperature Measurement, Temperature Type.
"""

from collections.abc import Mapping

from drivers.api import Driver, Kind, Reading, sig_uuid
from drivers.codec import Reader, Stamp, coded
from drivers.push import decode_each, frame_key, listen

SERVICE = sig_uuid(0x1809)
MEASUREMENT = sig_uuid(0x2A1C)
TEMPERATURE_TYPE = sig_uuid(0x2A1D)

RESERVED = 0xF8  # flags
TYPE_SYSTEM = "temperature-type"
TYPES: Mapping[int, str] = {
    1: "armpit",
    2: "body",
    3: "ear",
    4: "finger",
    5: "gastro-intestinal-tract",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "tympanum",
}


def measurement(octets: bytes) -> Reading:
    """Temperature Measurement."""
    reader = Reader(octets)
    flags = reader.u8()
    temperature = reader.float32()
    stamp = reader.date_time() if flags & 2 else Stamp()
    codes = (coded(TYPE_SYSTEM, reader.u8(), TYPES),) if flags & 4 else ()
    return Reading(
        values=(temperature.value(Kind.BODY_TEMPERATURE, "[degF]" if flags & 1 else "Cel"),),
        taken_at=stamp.at,
        taken_at_raw=stamp.raw,
        codes=codes,
        trailing=reader.trailing(flags & RESERVED),
    )


def temperature_type(octets: bytes) -> str:
    """Temperature Type in the words of TYPES; empty if it is reserved. Raises DecodeError."""
    reader = Reader(octets)
    word = TYPES.get(reader.u8(), "")
    reader.trailing(announced=0)
    return word


DRIVER = Driver(
    name="sig_thermometer",
    title="Thermometer (Bluetooth SIG profile)",
    specialization="thermometer",
    service=SERVICE,
    data=(MEASUREMENT,),
    readable=(MEASUREMENT,),
    decode=decode_each({MEASUREMENT: measurement}),
    converse=listen(MEASUREMENT),
    key=frame_key(MEASUREMENT, measurement),
    codes={TYPE_SYSTEM: tuple(TYPES.values())},
)
