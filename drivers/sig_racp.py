"""Record Access Control Point (2A52): asking a meter for its stored records.

    op code u8, operator u8, operand: the rest

An operand of "number of records" is the number; of a response: the op code asked for, and the
answer to it. That of a request is a filter type (1 sequence number, 2 user-facing time) and its
values. Numbers are u16 for the profiles of today and u32 for Generic Health Sensors.

Source: Bluetooth GATT Specification Supplement, Record Access Control Point. Records are never
deleted (op code 2): that is for the clinic or the user to decide.
"""

from collections.abc import Mapping
from typing import NamedTuple

from drivers.api import Code, Reading, sig_uuid
from drivers.codec import Reader, coded, date_time

RACP = sig_uuid(0x2A52)

REPORT = 1
ABORT = 3
NUMBER_RESPONSE = 5
RESPONSE = 6
COMBINED_RESPONSE = 8
ALL = 1
AT_LEAST = 3
WITHIN = 4
BY_SEQUENCE = 1
BY_TIME = 2

OP_CODES: Mapping[int, str] = {
    1: "report-stored-records",
    2: "delete-stored-records",
    3: "abort-operation",
    4: "report-number-of-stored-records",
    5: "number-of-stored-records-response",
    6: "response-code",
    7: "combined-report",
    8: "combined-report-response",
}
OPERATORS: Mapping[int, str] = {
    0: "null",
    1: "all-records",
    2: "less-than-or-equal-to",
    3: "greater-than-or-equal-to",
    4: "within-range-of",
    5: "first-record",
    6: "last-record",
}
FILTER_TYPES: Mapping[int, str] = {1: "sequence-number", 2: "user-facing-time"}

SUCCESS = 1
NO_RECORDS = 6
UNSUPPORTED = frozenset({2, 3, 4, 5, 9})  # this meter does not know such a request; ask another way
RESPONSE_CODES: Mapping[int, str] = {
    1: "success",
    2: "op-code-not-supported",
    3: "invalid-operator",
    4: "operator-not-supported",
    5: "invalid-operand",
    6: "no-records-found",
    7: "abort-unsuccessful",
    8: "procedure-not-completed",
    9: "operand-not-supported",
}

NAMED: Mapping[str, Mapping[int, str]] = {  # system of a code: its names
    "op-code": OP_CODES,
    "operator": OPERATORS,
    "filter-type": FILTER_TYPES,
    "request-op-code": OP_CODES,
    "response-code": RESPONSE_CODES,
}
# Systems whose codes are hexadecimal octets, decimal numbers or times.
OPEN = ("operand", "number-of-records", "minimum", "maximum")


class Response(NamedTuple):
    """The meter's word on a request."""

    request: int  # the op code asked for
    code: int


def report_all() -> bytes:
    """The request for every stored record."""
    return bytes((REPORT, ALL))


def report_from(sequence: int) -> bytes:
    """The request for every record from *sequence* (0..65535) on."""
    return bytes((REPORT, AT_LEAST, BY_SEQUENCE)) + sequence.to_bytes(2, "little")


def abort() -> bytes:
    """The request to stop what is being reported."""
    return bytes((ABORT, 0))


def response(octets: bytes) -> Response | None:
    """The response in these octets; None if they are something else. Raises DecodeError."""
    reader = Reader(octets)
    op_code, _ = reader.u8(), reader.u8()
    return Response(reader.u8(), reader.u8()) if op_code == RESPONSE else None


def decode(octets: bytes) -> Reading:
    """Any request or response, as codes for a human to read: a Reading without values."""
    reader = Reader(octets)
    op_code, operator = reader.u8(), reader.u8()
    known: tuple[Code, ...]
    if op_code == RESPONSE:
        operand = reader.take(2)
        known = (_named("request-op-code", operand[0]), _named("response-code", operand[1]))
    elif op_code in (NUMBER_RESPONSE, COMBINED_RESPONSE):
        operand = reader.take(4 if len(octets) == 6 else 2)
        known = (Code("number-of-records", str(int.from_bytes(operand, "little"))),)
    else:
        operand = reader.rest()
        known = _filter(operator, operand)
    return Reading(
        codes=(
            _named("op-code", op_code),
            _named("operator", operator),
            Code("operand", operand.hex()),
            *known,
        ),
        trailing=reader.rest(),
    )


def _filter(operator: int, operand: bytes) -> tuple[Code, ...]:
    """What a request's operand filters by; only what is whole is named."""
    if operator <= ALL or operator > WITHIN or not operand:
        return ()
    kind, values = operand[0], operand[1:]
    names = ("minimum", "maximum") if operator == WITHIN else _BOUND[operator]
    size, rest = divmod(len(values), len(names))
    if rest or size not in _SIZES.get(kind, ()):
        return (_named("filter-type", kind),)
    parts = [values[at : at + size] for at in range(0, len(values), size)]
    bounds = (Code(name, _bound(kind, part)) for name, part in zip(names, parts, strict=True))
    return (_named("filter-type", kind), *bounds)


_BOUND: Mapping[int, tuple[str, ...]] = {2: ("maximum",), AT_LEAST: ("minimum",)}
_SIZES: Mapping[int, tuple[int, ...]] = {BY_SEQUENCE: (2, 4), BY_TIME: (7,)}


def _bound(kind: int, octets: bytes) -> str:
    if kind == BY_SEQUENCE:
        return str(int.from_bytes(octets, "little"))
    at = date_time(octets).at
    return octets.hex() if at is None else at.isoformat()


def _named(system: str, number: int) -> Code:
    return coded(system, number, NAMED[system])
