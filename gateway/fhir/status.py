"""What becomes of every flag that a driver raises. A flag that stands in no table is kept as text.

Bits: GATT number to IEEE 11073 number as HL7's PHD guide 2.0.0 has it (CodeSystem ASN1ToHL7): the
same for blood pressure and glucose, 15 minus it for the pulse oximeter. Measurement status: the
guide's page on ACOM status; it goes before a special value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.api import Specialization


@dataclass(frozen=True, slots=True)
class Decision:
    """One of these is said; `silent` is the reason why a flag does not travel."""

    bit: int | None = None  # of the specialization's status Observation
    name: str = ""  # that bit's display in ASN1ToHL7
    interpretation: str = ""
    absent: str = ""  # a dataAbsentReason that takes the value's place
    status: str = ""
    test: bool = False  # test data: HTEST
    text: str = ""  # a note on the measurement
    never: str = ""  # the whole reading is not published, because ...
    silent: str = ""


ABSENT = ("error", "not-performed", "temp-unknown")  # of several reasons the first is said
_CLOCK = "it is about the meter's clock, which decides whether the time is published"

BLOOD_PRESSURE: Mapping[str, Decision] = {
    "body-movement": Decision(bit=0, name="body-movement"),
    "cuff-too-loose": Decision(bit=1, name="cuff-too-loose"),
    "irregular-pulse": Decision(bit=2, name="irregular-pulse"),
    "pulse-rate-exceeds-upper-limit": Decision(bit=3, name="pulse-over-range-limit"),
    "pulse-rate-less-than-lower-limit": Decision(bit=4, name="pulse-under-range-limit"),
    "improper-measurement-position": Decision(bit=5, name="improper-body-position"),
    "intermediate": Decision(never="an intermediate cuff pressure is no reading"),
}

GLUCOSE: Mapping[str, Decision] = {
    "device-battery-low": Decision(bit=0, name="device-battery-low"),
    "sensor-malfunction": Decision(bit=1, name="sensor-malfunction"),
    "sample-size-insufficient": Decision(bit=2, name="sensor-sample-size-insufficient"),
    "strip-insertion-error": Decision(bit=3, name="sensor-strip-insertion"),
    "strip-type-incorrect": Decision(bit=4, name="sensor-strip-type-incorrect"),
    "result-too-high": Decision(bit=5, name="sensor-result-too-high"),
    "result-too-low": Decision(bit=6, name="sensor-result-too-low"),
    "temperature-too-high": Decision(bit=7, name="sensor-temp-too-high"),
    "temperature-too-low": Decision(bit=8, name="sensor-temp-too-low"),
    "read-interrupted": Decision(bit=9, name="sensor-read-interrupt"),
    "general-device-fault": Decision(bit=10, name="device-gen-fault"),
    # 8417752.11 is "temperature out of range": another thing than GATT's bit 11.
    "time-fault": Decision(silent=_CLOCK),
    "time-offset-unknown": Decision(silent=_CLOCK),
    "control-solution": Decision(never="a control solution is no person's value"),
}

PULSE_OXIMETER: Mapping[str, Decision] = {
    # No interpretation of the guide's list: by PhdBaseObservation there is no value yet.
    "measurement-ongoing": Decision(absent="temp-unknown"),
    "early-estimated-data": Decision(interpretation="early-indication", status="preliminary"),
    "validated-data": Decision(interpretation="validated-data"),
    "fully-qualified-data": Decision(text="Fully qualified data"),
    "data-from-measurement-storage": Decision(text="From the meter's storage"),
    "data-for-demonstration": Decision(test=True),
    "data-for-testing": Decision(test=True),
    "calibration-ongoing": Decision(interpretation="calibration-ongoing"),
    "measurement-unavailable": Decision(absent="not-performed"),
    "questionable-measurement": Decision(interpretation="questionable"),
    "invalid-measurement": Decision(absent="error", status="entered-in-error"),
    "extended-display-update-ongoing": Decision(bit=15, name="device-extended-update"),
    "equipment-malfunction": Decision(bit=14, name="device-equipment-malfunction"),
    "signal-processing-irregularity": Decision(bit=13, name="signal-processing-irregularity"),
    "inadequate-signal": Decision(bit=12, name="signal-inadequate"),
    "poor-signal": Decision(bit=11, name="signal-poor"),
    "low-perfusion": Decision(bit=10, name="signal-low-perfusion"),
    "erratic-signal": Decision(bit=9, name="signal-erratic"),
    "nonpulsatile-signal": Decision(bit=8, name="signal-non-pulsatile"),
    "questionable-pulse": Decision(bit=7, name="signal-pulse-questionable"),
    "signal-analysis-ongoing": Decision(bit=6, name="signal-searching"),
    "sensor-interference": Decision(bit=5, name="sensor-interference"),
    "sensor-unconnected-to-user": Decision(bit=4, name="sensor-off"),
    "unknown-sensor-connected": Decision(bit=3, name="sensor-unsupported"),
    "sensor-displaced": Decision(bit=2, name="sensor-displaced"),
    "sensor-malfunctioning": Decision(bit=1, name="sensor-malfunction"),
    "sensor-disconnected": Decision(bit=0, name="sensor-disconnected"),
    "device-clock-not-set": Decision(silent=_CLOCK),
}

FLAGS: Mapping[Specialization, Mapping[str, Decision]] = {
    "blood-pressure": BLOOD_PRESSURE,
    "glucose": GLUCOSE,
    "pulse-oximeter": PULSE_OXIMETER,
}


def decide(specialization: Specialization, flags: tuple[str, ...]) -> tuple[Decision, ...]:
    """What to do about each flag, in the order given."""
    known = FLAGS.get(specialization, {})
    return tuple(known.get(flag, Decision(text=f"Meter's flag: {flag}")) for flag in flags)
