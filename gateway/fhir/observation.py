"""Observations: what all of a reading's have in common, laid around the parts that differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.fhir import codes, context, names, times
from gateway.fhir.errors import RenderError
from gateway.fhir.measurement import Part, parts, reason
from gateway.fhir.serial import Json, Resource
from gateway.fhir.status import Decision, decide
from gateway.model import ClockPair, Record

PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"
DK_CORE = "http://hl7.dk/fhir/core/StructureDefinition/dk-core-observation"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
MEASUREMENT_STATUS = "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status"
HTEST: Resource = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
PHD_CATEGORY: Resource = {
    "coding": [
        {"system": "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories", "code": "phd"}
    ]
}
BY_ARRIVAL = (
    "Dated by its arrival: the meter gave no time. It may have sent the same measurement before."
)
VITAL_SIGNS: Resource = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }
    ]
}


@dataclass(frozen=True, slots=True)
class References:
    """Where the Bundle's other resources are: the fullUrls, or a search for the citizen."""

    patient: str
    meter: str
    gateway: str
    timestamp: str | None  # None: this reading carries no stamp that a clock pair could explain


def meta(test: bool, *profiles: str) -> Resource:
    """Test data says so on every resource: a receiver may store them apart."""
    marked: Resource = {"security": [HTEST]} if test else {}
    return {**({"profile": list(profiles)} if profiles else {}), **marked}


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all Observations of a reading have in common."""

    record: Record
    to: References
    decisions: Sequence[Decision]
    test: bool
    measured: UUID | None  # the first Observation that is a measurement


def observations(record: Record, to: References) -> list[tuple[UUID, Resource]]:
    """Each with its name. Raises RenderError for a reading that must not or cannot be published."""
    decisions = decide(record.device.specialization, record.reading.flags)
    if not record.withdrawn:  # what never should have been sent is taken back as it stands
        _refuse(record, decisions)
    found = parts(record, decisions)
    names_of = [names.observation(record, role) for role in _roles(found)]
    measured = (name for name, part in zip(names_of, found, strict=True) if part.measured)
    shared = _Shared(
        record=record,
        to=to,
        decisions=decisions,
        test=record.simulated or any(decision.test for decision in decisions),
        measured=next(measured, None),
    )
    of_a_type = Counter(part.mdc for part in found)
    return [
        (name, _observation(shared, name, part, alone=of_a_type[part.mdc] == 1))
        for name, part in zip(names_of, found, strict=True)
    ]


def _refuse(record: Record, decisions: Sequence[Decision]) -> None:
    reasons = [decision.never for decision in decisions if decision.never]
    reasons += [context.NEVER[code] for code in record.reading.codes if code in context.NEVER]
    if reasons:
        raise RenderError(reasons[0])


def _roles(found: Sequence[Part]) -> Iterator[str]:
    """Every part's role; a second one of the same is numbered."""
    seen: Counter[str] = Counter()
    for part in found:
        seen[part.role] += 1
        yield part.role if seen[part.role] == 1 else f"{part.role}/{seen[part.role]}"


def _observation(shared: _Shared, name: UUID, part: Part, *, alone: bool) -> Resource:
    """*alone*: no other Observation of the Bundle has the same type."""
    record, to = shared.record, shared.to
    about = None if part.measured else shared.measured
    return {
        "resourceType": "Observation",
        "meta": meta(shared.test, PHD + part.profile, DK_CORE),
        "extension": _extensions(to),
        "identifier": _identifiers(record, name, part, alone),
        "status": _status(record, shared.decisions if part.measured else ()),
        "category": [*([VITAL_SIGNS] if part.vital else []), PHD_CATEGORY],
        "code": part.code,
        "subject": {"reference": to.patient},
        **_effective(record),
        **({"issued": times.instant(record.issued, record.zone)} if record.issued else {}),
        **({"performer": [{"reference": to.patient}]} if _by_themselves(record) else {}),
        **part.value,
        **(_interpretation(shared.decisions) if part.measured else {}),
        **({} if about else _notes(record, shared.decisions)),
        "device": {"reference": to.meter},
        # So that a status or a circumstance finds its measurement outside the Bundle too.
        **({"derivedFrom": [{"reference": names.entry(about)}]} if about else {}),
        **({"component": part.components} if part.components else {}),
    }


def _extensions(to: References) -> Json:
    gateway: Resource = {
        "url": f"{EXTENSION}observation-gatewayDevice",
        "valueReference": {"reference": to.gateway},
    }
    if to.timestamp is None:
        return [gateway]
    timestamp: Resource = {
        "url": f"{PHD}CoincidentTimeStampReference",
        "valueReference": {"reference": to.timestamp},
    }
    return [gateway, timestamp]


def _identifiers(record: Record, name: UUID, part: Part, alone: bool) -> Json:
    """Ours first; PHD's second, unless two Observations of this Bundle would share it."""
    phd = names.phd_identifier(record, part.mdc, *part.supplemental)
    if phd is None or not alone:
        return [names.own(name)]
    return [names.own(name), {"system": names.PHD_IDENTIFIER, "value": phd}]


def _status(record: Record, decisions: Sequence[Decision]) -> str:
    said = {decision.status for decision in decisions}
    if record.withdrawn or "entered-in-error" in said:
        return "entered-in-error"
    if record.amended:
        return "amended"
    return "preliminary" if "preliminary" in said else "final"


def _by_themselves(record: Record) -> bool:
    """Whether the citizen measured; where another did, the meter does not say who."""
    return codes.told(record.reading, "tester") in (None, "self", *context.UNTOLD)


def _effective(record: Record) -> Resource:
    """A time that cannot be known is said to be unknown; it is never invented."""
    if record.effective is not None:
        return {"effectiveDateTime": times.second(record.effective, record.zone)}
    unknown: Resource = {"url": f"{EXTENSION}data-absent-reason", "valueCode": "unknown"}
    return {"_effectiveDateTime": {"extension": [unknown]}}


def _interpretation(decisions: Sequence[Decision]) -> Resource:
    said: list[Json] = [
        {"coding": [{"system": MEASUREMENT_STATUS, "code": decision.interpretation}]}
        for decision in decisions
        if decision.interpretation
    ]
    return {"interpretation": said} if said else {}


def _notes(record: Record, decisions: Sequence[Decision]) -> Resource:
    texts = [decision.text for decision in decisions if decision.text]
    if record.effective is not None and record.reading.taken_at is None:
        texts.append(BY_ARRIVAL)
    texts += [text for code in record.reading.codes if (text := context.note(code))]
    return {"note": [{"text": text} for text in texts]} if texts else {}


def timestamp(record: Record, pair: ClockPair, to: References) -> Resource:
    """The meter's clock and ours in one moment: by it a receiver checks how we dated the reading.

    The same in every Bundle of the session.
    """
    clock = times.meter_clock(pair, record.zone)
    return {
        "resourceType": "Observation",
        "meta": meta(record.simulated, f"{PHD}PhdCoincidentTimeStampObservation"),
        "identifier": [names.own(names.timestamp(pair))],
        "status": "final",
        "code": codes.coded("clock"),
        "subject": {"reference": to.meter},
        "effectiveDateTime": times.instant(pair.our_clock, record.zone),
        **({"dataAbsentReason": reason("unknown")} if clock is None else {"valueDateTime": clock}),
        "device": {"reference": to.gateway},
    }
