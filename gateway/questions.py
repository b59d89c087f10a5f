"""What a client asks on the control socket, read with suspicion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from drivers.api import Driver
from gateway.guests import HIGHEST_PASSKEY

EX_FAILED = 1
EX_USAGE = 64

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
_ROW = re.compile(r"([rf])([1-9][0-9]{0,17})")
_PUBLIC_ID = re.compile(r"[0-9a-f-]{6,36}")
_PASSKEY = re.compile(r"[0-9]{6}")
_PATIENT = re.compile(r"[\x21-\x7e]{1,200}")
# FHIR's type id, but for the two that mean another place in a path: it becomes Patient/ID.
_LOGICAL_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}")
# DDMMYY-SSSS, with or without the hyphen.
_CPR = re.compile(r"(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}-?[0-9]{4}")
A_DAY = timedelta(days=1)
HIGHEST_SLOT = 254  # 255 is "unknown user" in the SIG's profiles

Question = Mapping[str, Any]


class Unanswerable(Exception):
    """The question cannot be answered; the text says what to ask instead."""

    def __init__(self, words: str, code: int = EX_USAGE) -> None:
        super().__init__(words)
        self.code = code  # the exit status of the command that asked


@dataclass(frozen=True, slots=True)
class RowName:
    """A row as people name it: r12 is a reading, f7 a frame."""

    kind: Literal["reading", "frame"]
    row: int


def text(question: Question, key: str) -> str:
    value = question.get(key)
    if not isinstance(value, str) or not value:
        raise Unanswerable(f"{key}: expected text")
    return value


def flag(question: Question, key: str) -> bool:
    value = question.get(key, False)
    if not isinstance(value, bool):
        raise Unanswerable(f"{key}: expected true or false")
    return value


def address(question: Question) -> str:
    given = text(question, "address").upper().replace("-", ":")
    if not _ADDRESS.fullmatch(given):
        raise Unanswerable(
            f"{given[:40]!r} is no Bluetooth address: expected six pairs of hex digits,"
            " such as C0:11:22:33:44:55"
        )
    return given


def driver(question: Question, drivers: Mapping[str, Driver]) -> str:
    given = text(question, "driver")
    if given not in drivers:
        known = "; ".join(f"{each.name} ({each.title})" for each in drivers.values())
        raise Unanswerable(f"there is no driver {given[:40]!r}; there are: {known}")
    return given


def slot(question: Question) -> int | None:
    value = question.get("slot")
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= HIGHEST_SLOT:
        raise Unanswerable(f"slot: expected a number from 0 to {HIGHEST_SLOT}")
    return value


def patient(question: Question, *, logical: bool) -> str:
    """The opaque identifier of a citizen; *logical*: the id that a FHIR server gave the Patient."""
    given = text(question, "patient")
    if _CPR.fullmatch(given):
        raise Unanswerable(
            "that looks like a CPR number; none may be stored here: use the opaque identifier"
            " that the responsible organisation has given this citizen"
        )
    if logical and not _LOGICAL_ID.fullmatch(given):
        raise Unanswerable(
            "patient: expected the id of the Patient at the server, as fhir.patient_reference is"
            " \"logical\": up to 64 letters, digits, '-' and '.', without \"Patient/\" before it"
        )
    if not _PATIENT.fullmatch(given):
        raise Unanswerable("patient: expected an identifier of up to 200 characters, no spaces")
    return given


def moment(question: Question, key: str, zone: ZoneInfo) -> datetime | None:
    """A date or a date and time, by the clock of the home unless it carries an offset."""
    if question.get(key) is None:
        return None
    given = text(question, key)
    try:
        at = datetime.fromisoformat(given)
        there = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(zone)
        for margin in (-A_DAY, A_DAY):  # at an end of the calendar it cannot be reckoned with
            there.astimezone(UTC) + margin
    except (ValueError, OverflowError):
        raise Unanswerable(
            f"{given[:40]!r} is no moment: write 2026-11-25 or 2026-11-25T08:30"
        ) from None
    return there


def passkey(question: Question) -> int | None:
    """Six digits, as text or as a number."""
    value = question.get("passkey")
    if value is None:
        return None
    if isinstance(value, str) and _PASSKEY.fullmatch(value):
        return int(value)
    if type(value) is int and 0 <= value <= HIGHEST_PASSKEY:
        return value
    raise Unanswerable("passkey: expected the six digits that the meter shows")


def seconds(question: Question, key: str, usual: float, longest: float = 3600.0) -> float:
    value = question.get(key, usual)
    if type(value) not in (int, float) or not 1 <= value <= longest:
        raise Unanswerable(f"{key}: expected a number from 1 to {longest:.0f}")
    return float(value)


def row(question: Question) -> RowName:
    given = text(question, "row")
    match = _ROW.fullmatch(given)
    if match is None:
        raise Unanswerable(f"{given[:40]!r} is no row: the lists name them, r12 or f7")
    return RowName("reading" if match[1] == "r" else "frame", int(match[2]))


def reading_name(question: Question) -> int | str:
    """The row of a reading, or how its public id begins."""
    given = text(question, "reading").lower()
    match = _ROW.fullmatch(given)
    if match and match[1] == "r":
        return int(match[2])
    if match and not _PUBLIC_ID.fullmatch(given):
        raise Unanswerable(f"{given} has not become a reading: see `hjemgate parked` or `held`")
    if not _PUBLIC_ID.fullmatch(given):
        raise Unanswerable(
            f"{given[:40]!r} names no reading: expected a row such as r12, or the id of a reading,"
            " or six or more characters with which it begins"
        )
    return given


def number(question: Question, key: str) -> int | None:
    value = question.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 1 << 60:
        raise Unanswerable(f"{key}: expected a number")
    return value
