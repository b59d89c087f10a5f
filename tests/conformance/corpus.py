"""Records of every kind that the gateway can send, and the Bundles that they become.

All drivers over all recorded octets; every special value, unit, flag, code, clock, person, slot,
device and gateway. Each by itself, around a reading that is otherwise ordinary; then what comes
together (combinations.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drivers.api import (
    Absent,
    Certification,
    Code,
    DecodeError,
    DeviceInfo,
    Driver,
    Frame,
    Kind,
    PnpId,
    Reading,
    Udi,
    Value,
)
from drivers.describe import characteristic_of
from drivers.registry import all_drivers
from drivers.sig_thermometer import TYPES
from gateway.fhir import RenderError, render
from gateway.fhir.codes import CODINGS
from gateway.model import ClockPair, DeviceRecord, GatewayInfo, Patient, Record
from tests.conformance.combinations import combined, found_out, glucose_from_octets
from tests.drivers.vectors import cases
from tests.fhir import records
from tests.fhir.records import CASES, CLOCK, device, none, number, pressures

METERS: Mapping[str, DeviceRecord] = {
    name: device(driver.specialization, name) for name, driver in all_drivers().items()
}
MILLIMOLAR, MILLIGRAM = (number(Kind.GLUCOSE, *of) for of in (("5.60", "mmol/L"), ("101", "mg/dL")))
PULSE = number(Kind.PULSE_RATE, "64", "/min")
READINGS: Mapping[str, tuple[tuple[Value, ...], ...]] = {  # each driver's units
    "sig_blood_pressure": (
        (*pressures("121", "81", "94"), PULSE),
        (*pressures("16.1", "10.8", "12.5", "kPa"), PULSE),
    ),
    "sig_glucose": ((MILLIMOLAR,), (MILLIGRAM,)),
    "sig_pulse_oximeter": (
        (
            number(Kind.OXYGEN_SATURATION, "97", "%"),
            PULSE,
            number(Kind.PULSE_AMPLITUDE_INDEX, "4.2", "%"),
        ),
    ),
    "sig_thermometer": (
        (number(Kind.BODY_TEMPERATURE, "36.60", "Cel"),),
        (number(Kind.BODY_TEMPERATURE, "97.9", "[degF]"),),
    ),
    "sig_weight_scale": (
        (
            number(Kind.BODY_WEIGHT, "72.500", "kg"),
            number(Kind.BMI, "23.1", "kg/m2"),
            number(Kind.BODY_HEIGHT, "1.770", "m"),
        ),
        (
            number(Kind.BODY_WEIGHT, "159.80", "[lb_av]"),
            number(Kind.BMI, "23.1", "kg/m2"),
            number(Kind.BODY_HEIGHT, "69.7", "[in_i]"),
        ),
    ),
}
SAMPLE = (Code("sample-type", "capillary-plasma"), Code("sample-location", "finger"))
RESERVED = "reserved-0"  # how `codec.coded` calls a number that the specification does not name


def bundles() -> Mapping[str, bytes]:
    """Every Bundle by the name of its case; of those with the same octets the first."""
    found: dict[bytes, str] = {}
    for name, record in every_record():
        try:
            found.setdefault(render(record), name)
        except RenderError:  # never published, and so never seen by anybody
            continue
    return {name: body for body, name in found.items()}


def every_record() -> Iterator[tuple[str, Record]]:
    yield from CASES.items()
    for driver in all_drivers().values():
        for case, reading in _readings(driver):
            yield f"{driver.name}/{case}", records.record(METERS[driver.name], reading)
    yield from _recorded()
    yield from glucose_from_octets()
    yield from found_out()
    for name, meter in METERS.items():
        ordinary = records.record(meter, _ordinary(name))
        for case, record in (*_around(ordinary), *combined(ordinary)):
            yield f"{name}/{case}", record


def _ordinary(driver: str) -> Reading:
    codes = SAMPLE if driver == "sig_glucose" else ()
    return Reading(values=READINGS[driver][0], codes=codes)


def _readings(driver: Driver) -> Iterator[tuple[str, Reading]]:
    ordinary = _ordinary(driver.name)
    for values in READINGS[driver.name]:
        unit = values[0].unit
        yield f"in {unit}", replace(ordinary, values=values)
        for case, special in _special(values):
            yield f"in {unit}, {case}", replace(ordinary, values=special)
    for flag in driver.flags:
        yield f"flag {flag}", replace(ordinary, flags=(flag,))
        yield f"flag {flag} alone", Reading(flags=(flag,))
    yield "all flags", replace(ordinary, flags=driver.flags)
    for system, answers in driver.codes.items():
        for answer in (*answers, RESERVED):
            for values in READINGS[driver.name]:
                codes = (*(c for c in ordinary.codes if c.system != system), Code(system, answer))
                case = f"{system} {answer} in {values[0].unit}"
                yield case, replace(ordinary, values=values, codes=codes)
    if driver.name == "sig_glucose":
        yield from _meals(driver)


def _special(values: tuple[Value, ...]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for absent in Absent:
        yield f"all {absent}", tuple(none(v.kind, absent, v.unit) for v in values)
        for place, value in enumerate(values):
            gone = none(value.kind, absent, value.unit)
            yield f"{value.kind} {absent}", (*values[:place], gone, *values[place + 1 :])
    for place, value in enumerate(values):
        yield f"without {value.kind}", (*values[:place], *values[place + 1 :])


def _meals(driver: Driver) -> Iterator[tuple[str, Reading]]:
    """The sample and the meal together decide the code."""
    for sample in driver.codes["sample-type"]:
        for values in READINGS[driver.name]:
            codes = (Code("sample-type", sample), Code("meal", "fasting"))
            yield f"{sample} fasting in {values[0].unit}", Reading(values=values, codes=codes)


def _recorded() -> Iterator[tuple[str, Record]]:
    for name, driver in all_drivers().items():
        for case in cases(name):
            frame = Frame(characteristic_of(case["characteristic"]), bytes.fromhex(case["hex"]))
            try:
                decoded = driver.decode([frame])
            except DecodeError:
                continue
            for reading in decoded:
                if driver.key([frame], reading) is not None:  # only what has a name is sent
                    record = records.record(METERS[name], reading)
                    yield f"{name}/{case['id']}", replace(record, reading=reading)


def _around(ordinary: Record) -> Iterator[tuple[str, Record]]:
    """The same reading by other clocks, of other people, from other boxes."""
    yield "amended", replace(ordinary, version=2)
    yield "withdrawn", replace(ordinary, version=2, withdrawn=True)
    emptied = replace(ordinary.reading, values=ordinary.reading.values[:1], codes=())
    yield "taken back", replace(ordinary, version=2, reading=emptied, former=(ordinary.reading,))
    yield "simulated", replace(ordinary, simulated=True)
    for case, change in (*_clocks(), *_people(), *_boxes()):
        yield case, replace(ordinary, **change)
    for user in (0, 1, 254):
        yield f"slot {user}", replace(ordinary, reading=replace(ordinary.reading, user=user))
    unstamped = replace(ordinary.reading, taken_at=None, taken_at_raw=bytes(7))
    yield "no stamp", replace(ordinary, reading=unstamped)
    yield "no stamp, time unknown", replace(ordinary, reading=unstamped, effective=None)
    early = replace(ordinary.reading, taken_at=datetime(1999, 12, 31))  # noqa: DTZ001 -- a meter's
    yield "a stamp before PHD's epoch", replace(ordinary, reading=early)
    for case, info in device_infos():
        yield case, replace(ordinary, device=replace(ordinary.device, info=info))
    bare = replace(ordinary.device, identity="c01122334455", address="C0:11:22:33:44:55")
    yield "a meter without System ID", replace(ordinary, device=bare)


def _clocks() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "time unknown", {"effective": None}
    yield "no clock pair", {"clock": None}
    yield "clock pair without the meter's", {"clock": replace(CLOCK, device_clock=None)}
    wild = datetime(2017, 1, 1)  # noqa: DTZ001 -- a meter's naive clock
    yield "a wild clock", {"clock": replace(CLOCK, device_clock=wild)}
    yield "in UTC", {"zone": "UTC"}
    nights = {"summer ends": (2026, 10, 25), "summer begins": (2026, 3, 29)}
    for night, day in nights.items():
        for hour in (0, 1):
            moment = datetime(*day, hour, 30, tzinfo=UTC)
            pair = ClockPair(CLOCK.session, moment.replace(tzinfo=None), moment)
            yield f"{night}, {hour}:30", {"effective": moment, "issued": moment, "clock": pair}


def _people() -> Iterator[tuple[str, dict[str, Any]]]:
    name = "7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"
    for reference in ("conditional", "entry"):
        for system, value in (
            ("urn:ietf:rfc:3986", f"urn:uuid:{name}"),
            ("urn:oid:1.2.208.184.9999", "p-17"),
            ("https://example.org/a?b=1&c", "x|1 ø,2"),
        ):
            patient = Patient(system, value, reference)
            yield f"patient by {reference}, {system}", {"patient": patient}
    yield "patient by logical id", {"patient": Patient("", name, "logical")}


def _boxes() -> Iterator[tuple[str, dict[str, Any]]]:
    for clock in ("ntp", "assumed", "receipt", "none"):
        yield f"gateway's clock {clock}", {"gateway": GatewayInfo("gw-0000000000", "0.1.0", clock)}


def device_infos() -> Iterator[tuple[str, DeviceInfo]]:
    yield "a meter that says nothing of itself", DeviceInfo()
    yield "a meter that pads with zeros", DeviceInfo("Maker\0\0", "Model\0", "\0", "\0", "1.0\0")
    yield "a meter that says all", DeviceInfo("Maker", "M-1", "00017", "A", "1.2", "3.4", bytes(8))
    for case, told in (*_approvals(), *_udis()):
        yield case, DeviceInfo(**told)
    yield "a clock that is read", DeviceInfo(clock="readable")
    yield "a clock that is set", DeviceInfo(clock="settable")
    for site in TYPES.values():
        yield f"a thermometer for one place: {site}", DeviceInfo(temperature_type=site)
    for source in (0, 1, 2):
        yield f"a product by list {source}", DeviceInfo(pnp_id=PnpId(source, 1, 0xABCD, 0xFFFF))


def _approvals() -> Iterator[tuple[str, dict[str, Any]]]:
    interfaces = tuple(int(of.partition("/")[2]) for of in CODINGS if of.startswith("interface/"))
    for case, told in (
        ("a version alone", Certification("1.5")),
        ("every interface", Certification("255.0", interfaces)),
        ("an interface that the guide does not know", Certification("1.0", (0, 0x200F, 0xFFFF))),
        ("a medical device", Certification(regulated=True)),
        ("no medical device", Certification(regulated=False)),
    ):
        yield f"certification: {case}", {"certification": told}


def _udis() -> Iterator[tuple[str, dict[str, Any]]]:
    whole = {"label": "(01)1ø", "device_identifier": "1", "issuer": "2.51", "authority": "2.16.1"}
    yield "UDI whole", {"udi": Udi(**whole)}
    for name, text in whole.items():
        yield f"UDI {name} alone", {"udi": Udi(**{name: text})}
    for oid in ("2.51.1.1", "2.51", "1.2", "GS1", "2.51.1.", "3.1.1", "2.051.1", "urn:oid:2.51.1"):
        yield f"UDI by {oid}", {"udi": Udi("(01)1", "1", oid, oid)}
