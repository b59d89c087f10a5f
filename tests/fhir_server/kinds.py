"""Readings that share nothing with each other: every kind of them, and new ones of new patients."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from gateway.model import Patient, Record
from tests.conformance.corpus import bundles, every_record
from tests.fhir.records import CASES

NAMESPACE = UUID("5a1f6f0e-6f0b-4c56-9a39-0c0b8f3f6c11")  # ours, drawn once


def kinds() -> Mapping[str, Record]:
    """By the name of the case. As the corpus has them they would be versions of one reading."""
    records = dict(every_record())
    return {name: alone(records[name], uuid5(NAMESPACE, name)) for name in bundles()}


def alone(record: Record, name: UUID) -> Record:
    """*record* as the reading *name*, of a meter and a session that nothing else comes from."""
    clock = record.clock and replace(record.clock, session=uuid5(name, "session"))
    identity = uuid5(name, "meter").hex[: len(record.device.identity)]
    gateway = replace(record.gateway, id=f"gw-{uuid5(name, 'gateway').hex[:10]}")
    device = replace(record.device, identity=identity)
    return replace(record, id=name, clock=clock, device=device, gateway=gateway)


def somebody() -> Patient:
    """Whom no server has heard of."""
    return Patient("urn:ietf:rfc:3986", f"urn:uuid:{uuid4()}")


def case(name: str, person: Patient) -> Record:
    """A new reading of one of the golden kinds."""
    return replace(alone(CASES[name], uuid4()), patient=person)
