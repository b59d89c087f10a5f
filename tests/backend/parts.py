"""Readings for receivers: Bundles as a gateway renders them."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from backend.arrival import judge
from backend.store import Delivery
from drivers.api import Reading
from gateway import contract
from gateway.contract import Topics
from gateway.fhir import render
from gateway.model import Message, Patient
from tests.fhir import records

ORGANISATION = "org1"
GATEWAY, OTHER = "gw-0123456789", "gw-9876543210"
TOPICS = Topics(ORGANISATION, GATEWAY)
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


def reading(number: int) -> UUID:
    return UUID(f"00000000-0000-5000-8000-{number:012}")


def message(
    number: int = 1,
    *,
    gateway: str = GATEWAY,
    epoch: str = "e1",
    seq: int | None = None,
    version: int = 1,
    systolic: str = "121",
    name: UUID | None = None,
) -> Message:
    """The reading *number*: a blood pressure, so many minutes after the first."""
    pressures = records.pressures(systolic, "81", "94")
    record = records.record(records.CUFF, Reading(values=pressures))
    record = replace(
        record,
        id=name or reading(number),
        version=version,
        gateway=replace(record.gateway, id=gateway),
        reading=replace(record.reading, taken_at=records.TAKEN + timedelta(minutes=number)),
        patient=Patient("urn:ietf:rfc:3986", "urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"),
    )
    body = render(record)
    return Message(
        row=number,
        id=record.id,
        version=version,
        epoch=epoch,
        seq=number if seq is None else seq,
        taken_at=record.effective,
        late=False,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        attempt=1,
    )


def delivered(message: Message, gateway: str = GATEWAY) -> Delivery:
    """As it comes out of the judgement."""
    publication = contract.observation(Topics(ORGANISATION, gateway), message, 600)
    found = judge(publication.topic, publication.body, publication.properties).message
    assert isinstance(found, Delivery), found
    return found


def delivery(number: int = 1, *, gateway: str = GATEWAY, **more: object) -> Delivery:
    return delivered(message(number, gateway=gateway, **more), gateway)  # type: ignore[arg-type]
