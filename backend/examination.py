"""What is asked of a body, and answered: also between processes, as octets."""

import json
import struct
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from backend.bundle import Contents, examine
from gateway.contract import OBSERVATION, ContractError

HEAD = struct.Struct("!II")  # of a question: octets of JSON, and of the bodies behind it
LENGTH = struct.Struct("!I")  # of an answer: octets of JSON


class Examination(NamedTuple):
    """Is *body* a Bundle of that reading by that gateway? *about*: the `type` of its message."""

    body: bytes
    reading: UUID
    version: int
    gateway: str
    about: str = OBSERVATION


Found = Contents | str  # or why not


def examined(asked: Examination) -> Found:
    try:
        return examine(*asked)
    except ContractError as error:
        return str(error)


def question(asked: Sequence[Examination]) -> bytes:
    named = [(len(each.body), str(each.reading), *each[2:]) for each in asked]
    said = json.dumps(named).encode()
    bodies = b"".join(each.body for each in asked)
    return HEAD.pack(len(said), len(bodies)) + said + bodies


def asked_by(said: bytes, bodies: bytes) -> list[Examination]:
    """The two parts of a question, behind its head."""
    found, start = [], 0
    for length, reading, *more in json.loads(said):
        body = bodies[start : start + length]
        found.append(Examination(body, UUID(reading), *more))
        start += length
    return found


def answer(found: Sequence[Found]) -> bytes:
    said = json.dumps(
        [each if isinstance(each, str) else (each.digest, each.phd) for each in found]
    )
    return LENGTH.pack(len(said)) + said.encode()  # ASCII


def found_by(said: bytes) -> list[Found]:
    """An answer, behind its length."""
    return [
        each if isinstance(each, str) else Contents(each[0], tuple(each[1]))
        for each in json.loads(said)
    ]
