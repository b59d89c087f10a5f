"""What is asked of a body, and answered: also between processes, as octets."""

import json
import logging
import struct
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from backend import faults
from backend.bundle import Contents, examine
from gateway.contract import OBSERVATION, ContractError

log = logging.getLogger("hjemgate.receiver")

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
    """Never raises: of whatever else goes wrong with a stranger's octets, where that was."""
    try:
        return examine(*asked)
    except ContractError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 -- else one message would stop all that come after it
        return unforeseen(error)


def unforeseen(error: Exception) -> str:
    """The reason of a refusal."""
    reason = faults.words(error)
    log.error("a message is refused: %s; please report this", reason)
    return reason


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
        [each if isinstance(each, str) else (each.digest, each.phd, each.at) for each in found]
    )
    return LENGTH.pack(len(said)) + said.encode()  # ASCII


def found_by(said: bytes) -> list[Found]:
    """An answer, behind its length."""
    return [
        each if isinstance(each, str) else Contents(each[0], tuple(each[1]), each[2])
        for each in json.loads(said)
    ]
