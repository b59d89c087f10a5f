"""One example of every message, as the contract page shows them.

python -m tests.contract.examples writes what docs/contract/ has of machine-made files anew.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.api import Kind, Reading
from gateway import contract
from gateway.announce import version_at
from gateway.contract import Publication, Receipt, Receipts, Status, Topics
from gateway.contract import status as make_status
from gateway.contract.__main__ import write as write_contract
from gateway.fhir import announcement, device, names, render
from gateway.model import Message, Record
from tests.contract.published import DIRECTORY, EXAMPLES
from tests.fhir import records

TOPICS = Topics("325421000016001", "gw-7k2m9x4pqr")
RECORD = records.record(
    records.CUFF,
    Reading(
        values=(
            *records.pressures("128", "79", "95"),
            records.number(Kind.PULSE_RATE, "66", "/min"),
        )
    ),
)
TAKEN = datetime(2026, 11, 22, 7, 30, 20, tzinfo=UTC)
NOW = TAKEN + timedelta(seconds=43)
EPOCH = "9f2c4be01d7a"
FLEET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # of these examples alone
COMMAND = UUID("5f0c3b57-53a1-4b0e-8a93-6d6f2f6f6c11")
WITHDRAW = UUID("c0b7e4d2-6d3f-4d8e-9a51-1f7b3e2a9c04")
REPLAY = {"epoch": EPOCH, "first": 112, "last": 117}


def message(record: Record = RECORD, seq: int = 118) -> Message:
    body = render(record)
    digest = hashlib.sha256(body).hexdigest()
    return Message(1, record.id, record.version, EPOCH, seq, TAKEN, False, digest, body, 1)


def withdrawn() -> Message:
    """The same reading, after a care team has found that another person was measured."""
    return message(replace(RECORD, version=2, withdrawn=True), 119)


def device_message() -> Message:
    """The gateway, after an update of its software in the night before."""
    updated = replace(records.GATEWAY, version="0.2.0")
    at, name = NOW - timedelta(hours=5), names.gateway(updated.id)
    version, resource = version_at(at), device.gateway(updated, simulated=False)
    body = announcement(name, version, resource, at, RECORD.zone, simulated=False)
    digest = hashlib.sha256(body).hexdigest()
    return Message(-1, name, version, EPOCH, 117, at, False, digest, body, 1, "device")


def receipt() -> Receipt:
    return Receipt(
        id=RECORD.id,
        epoch=EPOCH,
        sha256=message().sha256,
        by="receiver-1",
        status="stored",
        at=NOW + timedelta(seconds=1),
    )


def online() -> Status:
    return Status(
        at=NOW,
        gateway=TOPICS.gateway,
        version="0.1.0",
        epoch=EPOCH,
        last_seq=118,
        oldest_unreceipted=contract.Oldest(seq=118, age_s=43),
        rows=contract.Rows(published=1, received=112, held=1, parked=1),
        clock=contract.ClockHealth(trusted=True, source="ntp"),
        radio=contract.RadioHealth(scanning=True, heard_ago_s=0.4, links=0),
        uplink=contract.UplinkHealth(
            connected_at=NOW - timedelta(hours=5),
            failures=1,
            last_error="broker.example:8883: no answer; is the port open on the way?",
            last_puback_at=NOW - timedelta(minutes=3),
            last_receipt_at=NOW - timedelta(minutes=3),
        ),
        outbox=contract.OutboxHealth(bytes=1_310_720, quota=268_435_456, last_commit_ago_s=0.8),
        devices=(
            contract.DeviceHealth(
                device="02:03",
                driver="sig_blood_pressure",
                last_session=NOW,
                last_reading=TAKEN,
                battery=80,
                bond="bonded",
            ),
        ),
        counters={"frames": 240, "link_errors": 3},
        conditions=(contract.Condition(id="parked", text="1 reading needs a technician"),),
    )


def command(
    name: UUID = COMMAND,
    number: int = 7,
    word: str = contract.REPLAY,
    arguments: Mapping[str, Any] = REPLAY,
) -> Publication:
    body: dict[str, Any] = {
        "id": str(name),
        "issuer": "fleet-1",
        "number": number,
        "expires": "2026-11-22T08:30:00Z",
        "command": word,
        "arguments": arguments,
    }
    body["signature"] = b64encode(FLEET.sign(contract.signed_octets(TOPICS.command, body))).decode()
    return Publication(
        TOPICS.command,
        json.dumps(body).encode(),
        "application/json",
        correlation=str(number).encode(),
    )


def withdraw() -> Publication:
    return command(WITHDRAW, 8, contract.WITHDRAW, {"reading": str(RECORD.id)})


def publications() -> dict[str, Publication]:
    offline = contract.Offline(at=NOW - timedelta(hours=5), gateway=TOPICS.gateway, version="0.1.0")
    result = contract.ReplayResult(again=4, waiting=1, gone=((112, 112),))
    done = contract.Reply(id=COMMAND, gateway=TOPICS.gateway, at=NOW, status="done", result=result)
    return {
        "observation": contract.observation(TOPICS, message(), 600),
        "observation-withdrawn": contract.observation(TOPICS, withdrawn(), 600),
        "device": contract.observation(TOPICS, device_message(), 600),
        "receipt": contract.receipts(TOPICS, Receipts(receipts=(receipt(),))),
        "status-online": make_status(TOPICS, online()),
        "status-offline": contract.will(TOPICS, offline),
        "command": command(),
        "command-withdraw": withdraw(),
        "reply": contract.reply(TOPICS, done, command().correlation),
    }


def as_text(publication: Publication) -> str:
    """A message as the contract page shows it. Its body is shown as JSON, not octet by octet."""
    shown: dict[str, Any] = {
        "topic": publication.topic,
        "qos": 1,
        "retain": publication.retain,
        "payload_format_indicator": 1,
        "content_type": publication.content_type,
        "message_expiry_interval": publication.expiry_s,
        "correlation_data": None
        if publication.correlation is None
        else publication.correlation.decode(),
        "user_properties": dict(publication.properties),
    }
    head = json.dumps({name: value for name, value in shown.items() if value not in (None, {})})
    body = publication.body.decode()
    return f'{head[:-1]}, "body": {body}}}'


def write() -> None:
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    write_contract(DIRECTORY)
    for name, publication in publications().items():
        (EXAMPLES / f"{name}.json").write_text(pretty(as_text(publication)))


def pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write()
