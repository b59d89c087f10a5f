"""Records of every kind: what the golden files show and the rules are tried on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from drivers.api import (
    Absent,
    Certification,
    Code,
    DeviceInfo,
    Kind,
    PnpId,
    Reading,
    Specialization,
    Udi,
    Value,
)
from gateway.model import ClockPair, DeviceRecord, GatewayInfo, Patient, Record

PATIENT = Patient("urn:ietf:rfc:3986", "urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10")
GATEWAY = GatewayInfo("gw-7k2m9x4pqr", "0.1.0", "ntp")
TAKEN = datetime(2026, 11, 22, 8, 30)  # noqa: DTZ001 -- a meter's naive clock
CLOCK = ClockPair(
    session=UUID("0f5f9a52-7f0e-4f6c-8a55-0d3f1c2b4a61"),
    device_clock=datetime(2026, 11, 22, 8, 30, 42),  # noqa: DTZ001 -- a meter's naive clock
    our_clock=datetime(2026, 11, 22, 7, 31, 2, 250_000, tzinfo=UTC),
)


def device(specialization: Specialization, driver: str) -> DeviceRecord:
    return DeviceRecord(
        identity="5c313efffe010203",
        address="5C:31:3E:01:02:03",
        driver=driver,
        specialization=specialization,
        info=DeviceInfo(
            manufacturer="Example Meters ApS",
            model="EM-1\x00",
            serial="5181000124",
            firmware="1.04",
            system_id=bytes.fromhex("5c313efffe010203"),
        ),
    )


CUFF = device("blood-pressure", "sig_blood_pressure")
GLUCOMETER = device("glucose", "sig_glucose")
TELLING = replace(  # all that a meter can say of itself
    CUFF,
    info=replace(
        CUFF.info,
        hardware="B2",
        software="7",
        certification=Certification("6.0", (0x8007, 7), regulated=True),
        udi=Udi(
            "(01)00844588003288(21)5181000124",
            "00844588003288",
            "2.51",
            "2.16.840.1.113883.3.24",
        ),
        pnp_id=PnpId(2, 0x1234, 0x00AB, 0x103),
        clock="settable",
    ),
)
SCALE = device("weight", "sig_weight_scale")
THERMOMETER = device("thermometer", "sig_thermometer")
FINGER_THERMOMETER = replace(  # says so once and for all, not with its readings
    THERMOMETER, info=replace(THERMOMETER.info, temperature_type="finger")
)
OXIMETER = device("pulse-oximeter", "sig_pulse_oximeter")


def record(meter: DeviceRecord, reading: Reading) -> Record:
    """A reading of half past eight, by a meter whose clock was 20 seconds slow."""
    return Record(
        id=UUID("a3e1f0c4-5b1d-5c8e-9d5e-2f4b7c6d8e90"),
        version=1,
        patient=PATIENT,
        device=meter,
        gateway=GATEWAY,
        reading=replace(reading, taken_at=TAKEN),
        effective=datetime(2026, 11, 22, 7, 30, 20, 250_000, tzinfo=UTC),
        issued=datetime(2026, 11, 22, 7, 31, 3, tzinfo=UTC),
        clock=CLOCK,
        simulated=False,
    )


def number(kind: Kind, digits: str, unit: str) -> Value:
    return Value(kind, Decimal(digits), unit)


def none(kind: Kind, reason: Absent, unit: str) -> Value:
    return Value(kind, None, unit, reason)


def pressures(systolic: str, diastolic: str, mean: str, unit: str = "mm[Hg]") -> tuple[Value, ...]:
    kinds = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.MEAN_PRESSURE)
    return tuple(
        number(kind, digits, unit)
        for kind, digits in zip(kinds, (systolic, diastolic, mean), strict=True)
    )


def glucose(
    value: Value, sample: str, *more: tuple[str, str], flags: tuple[str, ...] = ()
) -> Record:
    codes = (Code("sample-type", sample), *(Code(*pair) for pair in more))
    return record(GLUCOMETER, Reading(values=(value,), codes=codes, flags=flags, sequence=7))


def oximetry(*flags: str, amplitude: tuple[Value, ...] = ()) -> Record:
    values = (
        number(Kind.OXYGEN_SATURATION, "97", "%"),
        number(Kind.PULSE_RATE, "61.0", "/min"),
        *amplitude,
    )
    return record(OXIMETER, Reading(values=values, flags=flags))


def temperature(digits: str, unit: str, *site: str) -> Record:
    value = number(Kind.BODY_TEMPERATURE, digits, unit)
    codes = tuple(Code("temperature-type", name) for name in site)
    return record(THERMOMETER, Reading(values=(value,), codes=codes))


PULSE = number(Kind.PULSE_RATE, "60", "/min")
MILLIMOLAR = number(Kind.GLUCOSE, "6.10", "mmol/L")
BLOOD_PRESSURE = record(CUFF, Reading(values=(*pressures("121", "81", "94"), PULSE), user=1))

CASES: Mapping[str, Record] = {
    "blood-pressure": BLOOD_PRESSURE,
    "blood-pressure-kpa-with-status": record(
        CUFF,
        Reading(
            values=pressures("16.10", "10.8", "12.5", "kPa"),
            flags=("body-movement", "irregular-pulse", "pulse-rate-exceeds-upper-limit"),
        ),
    ),
    "blood-pressure-without-mean-and-pulse": record(
        CUFF,
        Reading(
            values=(
                *pressures("121", "81", "94")[:2],
                none(Kind.MEAN_PRESSURE, Absent.NOT_A_NUMBER, "mm[Hg]"),
                none(Kind.PULSE_RATE, Absent.NOT_AT_THIS_RESOLUTION, "/min"),
            )
        ),
    ),
    "blood-pressure-of-a-meter-that-tells-all": replace(BLOOD_PRESSURE, device=TELLING),
    "blood-pressure-amended": replace(BLOOD_PRESSURE, version=2),
    "blood-pressure-simulated-patient-entry": replace(
        BLOOD_PRESSURE, simulated=True, patient=replace(PATIENT, reference="entry")
    ),
    "blood-pressure-time-unknown": replace(
        BLOOD_PRESSURE,
        reading=replace(BLOOD_PRESSURE.reading, taken_at=None, taken_at_raw=bytes(7)),
        effective=None,
        clock=replace(CLOCK, device_clock=None),
        patient=Patient("", "7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10", "logical"),
    ),
    "glucose": glucose(MILLIMOLAR, "capillary-plasma", ("sample-location", "finger")),
    "glucose-with-context": glucose(
        MILLIMOLAR,
        "capillary-whole-blood",
        ("sample-location", "not-available"),
        ("carbohydrate", "breakfast"),
        ("meal", "postprandial"),
        ("tester", "health-care-professional"),
        ("health", "no-health-issues"),
        ("medication", "rapid-acting-insulin"),
        ("meal-size", "large"),
    ),
    "glucose-fasting": glucose(MILLIMOLAR, "capillary-plasma", ("meal", "fasting")),
    "glucose-mg-per-dl": glucose(number(Kind.GLUCOSE, "110", "mg/dL"), "undetermined-plasma"),
    "glucose-high": glucose(
        none(Kind.GLUCOSE, Absent.POSITIVE_INFINITY, "mmol/L"),
        "capillary-plasma",
        flags=("result-too-high", "time-fault"),
    ),
    "glucose-low-of-unknown-sample": glucose(
        none(Kind.GLUCOSE, Absent.NEGATIVE_INFINITY, "mmol/L"), "reserved-12"
    ),
    "glucose-status-alone": record(
        GLUCOMETER, Reading(flags=("strip-insertion-error", "device-battery-low"), sequence=8)
    ),
    "weight": record(
        SCALE,
        Reading(
            values=(
                number(Kind.BODY_WEIGHT, "72.500", "kg"),
                number(Kind.BMI, "23.1", "kg/m2"),
                number(Kind.BODY_HEIGHT, "1.770", "m"),
            )
        ),
    ),
    "weight-pounds": record(
        SCALE,
        Reading(
            values=(
                number(Kind.BODY_WEIGHT, "159.80", "[lb_av]"),
                number(Kind.BODY_HEIGHT, "69.7", "[in_i]"),
            )
        ),
    ),
    "weight-unsuccessful": record(
        SCALE, Reading(values=(none(Kind.BODY_WEIGHT, Absent.UNSUCCESSFUL, "kg"),))
    ),
    "weight-without-a-height": record(
        SCALE,
        Reading(
            values=(
                number(Kind.BODY_WEIGHT, "72.500", "kg"),
                none(Kind.BMI, Absent.UNKNOWN, "kg/m2"),
                none(Kind.BODY_HEIGHT, Absent.UNKNOWN, "m"),
            )
        ),
    ),
    "temperature": temperature("36.60", "Cel", "ear"),
    "temperature-fahrenheit": temperature("97.9", "[degF]"),
    "temperature-toe": temperature("31.2", "Cel", "toe"),
    "temperature-of-a-finger-thermometer": replace(
        temperature("33.1", "Cel"), device=FINGER_THERMOMETER
    ),
    "oximetry": oximetry(
        "validated-data", amplitude=(number(Kind.PULSE_AMPLITUDE_INDEX, "4.20", "%"),)
    ),
    "oximetry-early-questionable-low-perfusion": oximetry(
        "early-estimated-data",
        "questionable-measurement",
        "data-from-measurement-storage",
        "low-perfusion",
        "sensor-disconnected",
        "device-clock-not-set",
    ),
    "oximetry-invalid": oximetry("invalid-measurement"),
    "oximetry-ongoing": oximetry("measurement-ongoing"),
    "oximetry-unavailable-and-invalid": oximetry(
        "measurement-ongoing", "measurement-unavailable", "invalid-measurement"
    ),
    "oximetry-unavailable-demonstration": oximetry(
        "data-for-demonstration", "measurement-unavailable"
    ),
}
