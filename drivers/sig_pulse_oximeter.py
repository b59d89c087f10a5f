"""Pulse Oximeter Profile (service 0x1822), spot check.

PLX Spot-Check Measurement (2A5E, indicated), little-endian:

    flags u8   b0 time   b1 measurement status   b2 device and sensor status
               b3 pulse amplitude index   b4 device clock is not set
    oxygen saturation SFLOAT in %, pulse rate SFLOAT in /min
    [b0] Date Time, 7 octets   [b1] u16   [b2] u24   [b3] SFLOAT in %

Source: Bluetooth GATT Specification Supplement, PLX Spot-Check Measurement.
"""

from collections.abc import Mapping

from drivers.api import Driver, Kind, Reading, sig_uuid
from drivers.codec import Number, Reader, Stamp, flagged
from drivers.push import decode_each, frame_key, listen

SERVICE = sig_uuid(0x1822)
MEASUREMENT = sig_uuid(0x2A5E)

RESERVED = 0xE0  # flags
MEASUREMENT_STATUS: Mapping[int, str] = {
    5: "measurement-ongoing",
    6: "early-estimated-data",
    7: "validated-data",
    8: "fully-qualified-data",
    9: "data-from-measurement-storage",
    10: "data-for-demonstration",
    11: "data-for-testing",
    12: "calibration-ongoing",
    13: "measurement-unavailable",
    14: "questionable-measurement",
    15: "invalid-measurement",
}
DEVICE_STATUS: Mapping[int, str] = {
    0: "extended-display-update-ongoing",
    1: "equipment-malfunction",
    2: "signal-processing-irregularity",
    3: "inadequate-signal",
    4: "poor-signal",
    5: "low-perfusion",
    6: "erratic-signal",
    7: "nonpulsatile-signal",
    8: "questionable-pulse",
    9: "signal-analysis-ongoing",
    10: "sensor-interference",
    11: "sensor-unconnected-to-user",
    12: "unknown-sensor-connected",
    13: "sensor-displaced",
    14: "sensor-malfunctioning",
    15: "sensor-disconnected",
}
CLOCK_NOT_SET = "device-clock-not-set"


def measurement(octets: bytes) -> Reading:
    """PLX Spot-Check Measurement."""
    reader = Reader(octets)
    flags = reader.u8()
    saturation, pulse = reader.sfloat(), reader.sfloat()
    clock_not_set = bool(flags & 16)
    stamp = _stamp(reader, clock_not_set) if flags & 1 else Stamp()
    status = reader.u16() if flags & 2 else 0
    device = reader.u24() if flags & 4 else 0
    amplitude: tuple[Number, ...] = (reader.sfloat(),) if flags & 8 else ()
    return Reading(
        values=(
            saturation.value(Kind.OXYGEN_SATURATION, "%"),
            pulse.value(Kind.PULSE_RATE, "/min"),
            *(number.value(Kind.PULSE_AMPLITUDE_INDEX, "%") for number in amplitude),
        ),
        taken_at=stamp.at,
        taken_at_raw=stamp.raw,
        flags=(
            *flagged(status, MEASUREMENT_STATUS),
            *flagged(device, DEVICE_STATUS),
            *((CLOCK_NOT_SET,) if clock_not_set else ()),
        ),
        trailing=reader.trailing(flags & RESERVED),
    )


def _stamp(reader: Reader, clock_not_set: bool) -> Stamp:
    """A clock that was never set gives a date that looks right and is not: octets only."""
    return Stamp(None, reader.take(7)) if clock_not_set else reader.date_time()


DRIVER = Driver(
    name="sig_pulse_oximeter",
    title="Pulse oximeter, spot check (Bluetooth SIG profile)",
    specialization="pulse-oximeter",
    service=SERVICE,
    data=(MEASUREMENT,),
    readable=(MEASUREMENT,),
    decode=decode_each({MEASUREMENT: measurement}),
    converse=listen(MEASUREMENT),
    key=frame_key(MEASUREMENT, measurement),
    flags=(*MEASUREMENT_STATUS.values(), *DEVICE_STATUS.values(), CLOCK_NOT_SET),
)
