"""The proof: what the meters say they measured, held against what the receiver says it has.

A second witness by intent: it reads the Bundles as plain JSON, has its own table of codes, and
knows nothing of how the gateway makes them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from drivers.api import Kind
from simulator.meters.meter import Measured, Meter

MDC = "urn:iso:std:iso:11073:10101"
MEAL, TIMESTAMP = "8417864", "67975"
ABSENT: Mapping[str, Any] = {}

# A meter shows whole seconds, its clock is read in whole seconds, and reading it takes a moment.
SAME_MOMENT = timedelta(seconds=5)

CODES: Mapping[Kind, str] = {  # IEEE 11073-10101, for these meters: finger blood, an ear
    Kind.SYSTOLIC: "150021",
    Kind.DIASTOLIC: "150022",
    Kind.MEAN_PRESSURE: "150023",
    Kind.PULSE_RATE: "149546",
    Kind.GLUCOSE: "160184",
    Kind.BODY_WEIGHT: "188736",
    Kind.BODY_TEMPERATURE: "188428",
    Kind.OXYGEN_SATURATION: "150456",
    Kind.PULSE_AMPLITUDE_INDEX: "150448",
}
OXIMETER_PULSE = "149530"


@dataclass(frozen=True, slots=True)
class Facts:
    """One reading, as its meter or as the receiver tells it."""

    meter: str  # its serial number
    patients: frozenset[str]
    numbers: frozenset[tuple[str, str, str]]  # MDC code, number with the precision sent, unit
    meal: str | None
    statuses: frozenset[str]
    moments: frozenset[datetime | None]  # aware


@dataclass(frozen=True, slots=True)
class Verdict:
    """By serial number of the meter: how many readings are lost, how many are there too often.

    `complaints` says it in words. Empty: every reading stands exactly once.
    """

    lost: Mapping[str, int] = field(default_factory=dict)
    doubled: Mapping[str, int] = field(default_factory=dict)
    complaints: Sequence[str] = ()


def told_by_meter(meter: Meter, patient: str, measured: Measured) -> Facts:
    numbers = frozenset(
        (_code(meter, value.kind), str(value.number), value.unit) for value in measured.values
    )
    return Facts(
        meter.identity.serial,
        frozenset({patient}),
        numbers,
        measured.codes.get("meal"),
        frozenset({"final"}),
        frozenset({measured.at}),
    )


def _code(meter: Meter, kind: Kind) -> str:
    if kind is Kind.PULSE_RATE and meter.kind == "pulse-oximeter":
        return OXIMETER_PULSE
    return CODES[kind]


def told_by_receiver(body: bytes) -> Facts:
    """What a Bundle says of the reading in it; what it does not say is missing in the Facts."""
    bundle = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    resources = [entry["resource"] for entry in bundle["entry"]]
    serials = [
        resource.get("serialNumber", "")
        for resource in resources
        if resource["resourceType"] == "Device" and _is_meter(resource)
    ]
    observations = [
        resource
        for resource in resources
        if resource["resourceType"] == "Observation" and _mdc(resource) != TIMESTAMP
    ]
    return Facts(
        ", ".join(serials),
        frozenset(_patient(each) for each in observations),
        frozenset(number for each in observations for number in _numbers(each)),
        next((_words(each) for each in observations if _mdc(each) == MEAL), None),
        frozenset(each.get("status", "") for each in observations),
        frozenset(_moment(each) for each in observations),
    )


def _is_meter(device: Mapping[str, Any]) -> bool:
    return any("PhdDevice" in profile for profile in device.get("meta", ABSENT).get("profile", ()))


def _mdc(element: Mapping[str, Any]) -> str:
    codings = element.get("code", ABSENT).get("coding", ())
    return next((coding["code"] for coding in codings if coding["system"] == MDC), "")


def _patient(observation: Mapping[str, Any]) -> str:
    reference = unquote(observation.get("subject", ABSENT).get("reference", ""))
    return reference.partition("|")[2] or reference


def _numbers(observation: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    for element in (observation, *observation.get("component", ())):
        if quantity := element.get("valueQuantity"):
            yield _mdc(element), str(quantity["value"]), quantity["code"]


def _words(observation: Mapping[str, Any]) -> str | None:
    words = observation.get("valueCodeableConcept", ABSENT).get("text")
    return None if words is None else str(words)


def _moment(observation: Mapping[str, Any]) -> datetime | None:
    text = observation.get("effectiveDateTime")
    return None if text is None else datetime.fromisoformat(text)


def judge(measured: Sequence[Facts], held: Sequence[Facts]) -> Verdict:
    """Each measured reading is to be held once, and nothing else."""
    unclaimed = list(held)
    missing: list[Facts] = []
    for reading in measured:
        found = next((each for each in unclaimed if not differences(reading, each)), None)
        if found is None:
            missing.append(reading)
        else:
            unclaimed.remove(found)
    lost: dict[str, int] = {}
    doubled: dict[str, int] = {}
    complaints: list[str] = []
    for extra in unclaimed:
        doubled[extra.meter] = doubled.get(extra.meter, 0) + 1
        complaints.append(_of_extra(extra, measured))
    for reading in missing:
        lost[reading.meter] = lost.get(reading.meter, 0) + 1
        complaints.append(f"lost: {_name(reading)} is not at the receiver as it was measured")
    return Verdict(lost, doubled, tuple(complaints))


def differences(measured: Facts, held: Facts) -> list[str]:
    """In words; empty if both tell of the same reading."""
    (at,) = measured.moments
    assert at is not None  # noqa: S101 - the meters of the virtual home know when they measured
    found = [
        f"{word} {theirs} instead of {ours}"
        for word, ours, theirs in (
            ("meter", measured.meter, held.meter),
            ("patient", _listed(measured.patients), _listed(held.patients)),
            ("values", _values(measured), _values(held)),
            ("meal", measured.meal, held.meal),
            ("status", _listed(measured.statuses), _listed(held.statuses)),
        )
        if ours != theirs
    ]
    if not held.moments:
        found.append("no time")
    return found + [
        f"time {moment} instead of {at}"
        for moment in held.moments
        if moment is None or abs(moment - at) > SAME_MOMENT
    ]


def _of_extra(extra: Facts, measured: Sequence[Facts]) -> str:
    """Held once too often, or never measured: then what is nearest to it."""
    compared = [differences(reading, extra) for reading in measured]
    nearest = min(compared, key=len, default=["nothing was measured"])
    if not nearest:
        return f"doubled: {_name(extra)} stands at the receiver more than once"
    return f"never measured so: {_name(extra)} has {'; '.join(nearest)}"


def _name(facts: Facts) -> str:
    times = _listed(f"{moment:%d %b %H:%M:%S}" for moment in facts.moments if moment)
    return f"{facts.meter}, {_values(facts)}, {times or 'no time'}"


def _values(facts: Facts) -> str:
    return _listed(f"{number} {unit} ({code})" for code, number, unit in facts.numbers)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
