"""Care plans as `$get-patient-procedures` tells them, and readings as gateways send them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.fut.measured import Measured, Rules, measured
from backend.fut.order import HISTORY
from backend.fut.people import Person
from backend.fut.plan import Activity, read
from backend.onward_json import Json, parsed
from gateway.fhir import render
from gateway.model import Record
from tests.fhir.records import CASES

NPU, SKS = "urn:oid:1.2.208.176.2.1", "urn:oid:1.2.208.176.2.4"
SYSTOLIC, DIASTOLIC, PULSE = (NPU, "DNK05472"), (NPU, "DNK05473"), (NPU, "NPU21692")
WEIGHT, HEIGHT, BMI = (NPU, "NPU03804"), (NPU, "NPU03794"), (NPU, "NPU27281")
SATURATION, TEMPERATURE, GLUCOSE = (NPU, "NPU03011"), (NPU, "NPU08676"), (NPU, "NPU02193")
PANEL = (SKS, "ZZ3170")

PATIENT = "https://patient.fut.example/fhir/Patient/1001"
EPISODE = "https://careplan.fut.example/fhir/EpisodeOfCare/3001"
PLAN = "https://plan.fut.example/fhir"
CAREPLAN = "https://careplan.fut.example/fhir"
CITIZEN = "urn:ietf:rfc:3986|urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"
PERSON = Person(PATIENT)

# The readings of tests/fhir/records are of 2026-11-22 08:30:20+01:00.
MORNING = ("2026-11-22T06:00:00+00:00", "2026-11-22T09:00:00+00:00")
EVENING = ("2026-11-22T17:00:00+00:00", "2026-11-22T20:00:00+00:00")


@dataclass(frozen=True)
class Row:
    """One row of the answer."""

    code: tuple[str, str]
    timing: str = "Adhoc"
    slot: tuple[str, str] | tuple[str] | None = None
    request: str = "4001"
    version: str = "1"
    status: str = "active"
    episode: str = EPISODE
    patient: str = PATIENT
    definition: tuple[str, str] | None = None  # what its ActivityDefinition is called
    active: tuple[tuple[str, str | None], ...] = ()  # its history: from, to
    occurrence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, str]:
        """What an Observation must be called."""
        return self.definition or self.code


def slot(code: tuple[str, str], *span: str, request: str = "4001", **more: Any) -> Row:
    return Row(code, "Resolved", span, request, **more)  # type: ignore[arg-type]


def definition_url(row: Row, base: str) -> str:
    return f"{base}/ActivityDefinition/{row.request}"


def _history(start: str, end: str | None) -> Mapping[str, Any]:
    status = {"system": "http://hl7.org/fhir/request-status", "code": "active"}
    period = {"start": start} | ({} if end is None else {"end": end})
    return {
        "url": HISTORY,
        "extension": [
            {"url": "status", "valueCodeableConcept": {"coding": [status]}},
            {"url": "period", "valuePeriod": period},
        ],
    }


def answer(rows: Sequence[Row], base: str = PLAN) -> dict[str, Any]:
    """What the care plan server says. *base*: of the plan server."""
    requests = {row.request: row for row in rows}
    entries: list[Any] = [
        {
            "fullUrl": f"ServiceRequest/{number}",
            "resource": {
                "resourceType": "ServiceRequest",
                "id": number,
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
                        "valueReference": {"reference": row.episode},
                    },
                    {
                        "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-sharingPolicy"
                    },
                    *(_history(*span) for span in row.active),
                ],
                "instantiatesCanonical": [definition_url(row, base)],
                **row.occurrence,
                "status": row.status,
                "code": {"coding": [{"system": row.code[0], "code": row.code[1]}]},
                "subject": {"reference": row.patient},
            },
        }
        for number, row in requests.items()
    ]
    items = [{"name": f"item_{n}", "part": _parts(row)} for n, row in enumerate(rows, 1)]
    entries.append({"resource": {"resourceType": "Parameters", "parameter": items}})
    warning = {"severity": "warning", "code": "informational", "diagnostics": "nothing to do"}
    entries.append({"resource": {"resourceType": "OperationOutcome", "issue": [warning]}})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _parts(row: Row) -> list[Mapping[str, Any]]:
    kind = {"system": "http://ehealth.sundhed.dk/cs/resolved-timing-type", "code": row.timing}
    names = ("ResolvedTimingStart", "ResolvedTimingEnd")
    ends = [{"name": n, "valueDateTime": m} for n, m in zip(names, row.slot or (), strict=False)]
    return [
        {"name": "CarePlan", "valueReference": {"reference": f"{CAREPLAN}/CarePlan/319"}},
        {
            "name": "ServiceRequest",
            "valueReference": {"reference": f"{CAREPLAN}/ServiceRequest/{row.request}"},
        },
        {"name": "ServiceRequestVersionId", "valueId": row.version},
        {"name": "Activity", "valueString": "Vægt"},
        *(ends or [{"name": name} for name in names]),
        {"name": "TimingType", "valueCodeableConcept": {"coding": [kind]}},
    ]


def plan(*rows: Row) -> tuple[Activity, ...]:
    return read(answer(rows), PATIENT).activities


def bundle(what: str | Record) -> Json:
    record = CASES[what] if isinstance(what, str) else what
    found: Json = parsed(render(record))
    return found


def reading(what: str | Record, rules: Rules | None = None) -> Measured:
    return measured(bundle(what), rules or Rules())
