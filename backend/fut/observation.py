"""One Observation as FUT's profile wants it; pure.

Source: FUT's IG, StructureDefinition ehealth-observation with its extensions
ehealth-resolved-timing and ehealth-quality. A Device is one of FUT's register, by its URL, or is
left out: FUT's references are never to what comes along.
"""

from backend.fut import codes
from backend.fut.elements import GATEWAY, URI
from backend.fut.measured import Measurement, Part
from backend.fut.people import Person
from backend.fut.plan import EPISODE, Activity
from backend.onward_json import Json

EHEALTH = "http://ehealth.sundhed.dk"
PROFILE = f"{EHEALTH}/fhir/StructureDefinition"


def observation(
    measurement: Measurement,
    part: Part | None,
    own: str,
    activity: Activity,
    person: Person,
) -> Json:
    device = person.devices.get(measurement.device or "")
    gateway = person.devices.get(measurement.gateway or "")
    return {
        "resourceType": "Observation",
        "meta": {"profile": [f"{PROFILE}/ehealth-observation"]},
        "extension": [
            _reference(EPISODE, activity.episode),
            _quality(),
            _timing(activity),
            *([] if gateway is None else [_reference(GATEWAY, gateway)]),
        ],
        "identifier": [{"system": URI, "value": own}],
        "basedOn": [{"reference": activity.service_request}],
        "status": "final",
        "code": {"coding": _codings(measurement, part)},
        "subject": {"reference": person.patient},
        "effectiveDateTime": measurement.effective,
        "performer": [{"reference": person.patient}],
        **({} if device is None else {"device": {"reference": device}}),
        **(_panel(measurement) if part is None else _quantity(part)),
    }


def _reference(extension: str, url: str) -> Json:
    return {"url": extension, "valueReference": {"reference": url}}


def _codings(measurement: Measurement, part: Part | None) -> list[Json]:
    if part is None:
        return [_coding(codes.PANEL), *measurement.further]
    return [_coding(part.code.pair), *part.further]


def _coding(pair: tuple[str, str]) -> Json:
    return {"system": pair[0], "code": pair[1]}


def _panel(measurement: Measurement) -> Json:
    return {
        "component": [
            {"code": {"coding": _codings(measurement, part)}, **_quantity(part)}
            for part in measurement.parts
        ]
    }


def _quantity(part: Part) -> Json:
    return {
        "valueQuantity": {
            "value": int(part.value) if part.code.integer else part.value,
            "unit": part.code.written,
            "system": codes.UCUM,
            "code": part.code.unit,
        }
    }


def _quality() -> Json:
    """It came by itself. Of device qualities FUT allows one, its own: none is sent."""
    kind = {"coding": [{"system": f"{EHEALTH}/cs/quality-types", "code": "UQ"}]}
    how = {"system": f"{EHEALTH}/cs/usage-quality", "code": "automatically-transferred"}
    return {
        "url": f"{PROFILE}/ehealth-quality",
        "extension": [
            {"url": "qualityType", "valueCodeableConcept": kind},
            {"url": "qualityCode", "valueCodeableConcept": {"coding": [how]}},
        ],
    }


def _timing(activity: Activity) -> Json:
    """A copy of the row. FUT takes start and end with `Resolved` alone, and then both."""
    kind = {"system": f"{EHEALTH}/cs/resolved-timing-type", "code": activity.timing}
    ends = {"start": activity.start, "end": activity.end}
    return {
        "url": f"{PROFILE}/ehealth-resolved-timing",
        "extension": [
            {"url": "serviceRequestVersionId", "valueId": activity.version},
            {"url": "type", "valueCodeableConcept": {"coding": [kind]}},
            *({"url": url, "valueDateTime": moment} for url, moment in ends.items() if moment),
        ],
    }
