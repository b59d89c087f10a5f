"""One reading, one transaction Bundle.

Everything is created only if it is not there yet, so that a second POST of the same Bundle changes
nothing anywhere; an amended reading updates its own Observations and creates the rest. What an
earlier version said and this one does not is withdrawn by it (`entered-in-error`).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gateway.fhir import device, names, times
from gateway.fhir.errors import RenderError
from gateway.fhir.observation import PHD, References, meta, observations, timestamp
from gateway.fhir.serial import Json, Resource, dumps
from gateway.model import Patient, Record


def render(record: Record) -> bytes:
    """The Bundle of *record*, ready to send: the same record gives the same octets.

    Raises RenderError for a reading that is never published (control solution, intermediate cuff
    pressure) or that says nothing. Has an earlier version of it been sent, that is withdrawn.
    """
    name = names.bundle(record.id, record.version)
    marked: Resource = {"meta": meta(test=True)} if record.simulated else {}
    return dumps(
        {
            "resourceType": "Bundle",
            **marked,
            "identifier": names.own(name),
            "type": "transaction",
            **({"timestamp": times.instant(record.issued, record.zone)} if record.issued else {}),
            "entry": _entries(record),
        }
    )


def announcement(
    name: UUID, version: int, resource: Resource, at: datetime, zone: str, *, simulated: bool
) -> bytes:
    """The Bundle that says what the Device called *name* is now, and so overwrites what it was.

    *version* as in the message. *resource*: as `device.meter` or `device.gateway` make it; *at*:
    aware UTC, when it changed; *zone* only formats.
    """
    marked: Resource = {"meta": meta(test=True)} if simulated else {}
    return dumps(
        {
            "resourceType": "Bundle",
            **marked,
            "identifier": names.own(names.bundle(name, version)),
            "type": "transaction",
            "timestamp": times.instant(at, zone),
            "entry": [_update(name, resource)],
        }
    )


def _entries(record: Record) -> list[Json]:
    gateway, meter = names.gateway(record.gateway.id), names.meter(record.device.identity)
    to = References(
        patient=names.subject(record.patient),
        meter=names.entry(meter),
        gateway=names.entry(gateway),
        timestamp=_explaining_timestamp(record),
    )
    made = _observations(record, to)
    entries: list[Json] = [
        _create(gateway, device.gateway(record.gateway, record.simulated)),
        _create(meter, device.meter(record.device, record.simulated)),
    ]
    if record.clock is not None:
        entries.append(_create(names.timestamp(record.clock), timestamp(record, record.clock, to)))
    put = _update if record.amended else _create
    entries += [put(name, resource) for name, resource in made.items()]
    if record.patient.reference == "entry":
        entries.append(_patient(record.patient, record.simulated))
    return entries


def _observations(record: Record, to: References) -> dict[UUID, Resource]:
    """By name: what is said now, and what is said no more."""
    try:
        made = dict(observations(record, to))
    except RenderError:  # the meter has found out that it was no measurement of a person
        if not record.amended:
            raise
        made = {} if record.former else dict(observations(replace(record, withdrawn=True), to))
    for name, resource in _withdrawn(record, to):
        made.setdefault(name, resource)
    return made


def _withdrawn(record: Record, to: References) -> Iterator[tuple[UUID, Resource]]:
    for earlier in reversed(record.former):
        try:
            yield from observations(replace(record, reading=earlier, withdrawn=True), to)
        except RenderError:  # by today's rules it would not have been sent
            continue


def _explaining_timestamp(record: Record) -> str | None:
    """A clock pair explains a stamp of the meter's; without a stamp there is nothing to explain."""
    if record.clock is None or record.reading.taken_at is None:
        return None
    return names.entry(names.timestamp(record.clock))


def _create(name: UUID, resource: Resource) -> Resource:
    return {
        "fullUrl": names.entry(name),
        "resource": resource,
        "request": {
            "method": "POST",
            "url": resource["resourceType"],
            "ifNoneExist": names.search(names.URI, names.urn(name)),
        },
    }


def _update(name: UUID, resource: Resource) -> Resource:
    search = names.search(names.URI, names.urn(name))
    return {
        "fullUrl": names.entry(name),
        "resource": resource,
        "request": {"method": "PUT", "url": f"{resource['resourceType']}?{search}"},
    }


def _patient(person: Patient, simulated: bool) -> Resource:
    """A citizen known by an opaque identifier alone, which is also how the server finds them."""
    return {
        "fullUrl": names.entry(names.patient(person)),
        "resource": {
            "resourceType": "Patient",
            "meta": meta(simulated, f"{PHD}PhdPatient"),
            "identifier": [{"system": person.system, "value": person.value}],
        },
        "request": {
            "method": "POST",
            "url": "Patient",
            "ifNoneExist": names.search(person.system, person.value),
        },
    }
