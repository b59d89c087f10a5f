"""Readings as the receiver has them when it hands them on."""

from hashlib import sha256

from backend.store import ToHandOn
from gateway.fhir import render
from gateway.model import Record


def to_hand_on(record: Record, *, by_then: bool = False) -> ToHandOn:
    body = render(record)
    return ToHandOn(
        position=1,
        id=record.id,
        version=record.version,
        sha256=sha256(body).hexdigest(),
        organisation="org1",
        gateway=record.gateway.id,
        epoch="e1",
        body=body,
        attempts=0,
        by_then=by_then,
    )
