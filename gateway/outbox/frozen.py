"""A Reading as sealed text, and back: what was decoded is never decoded again after an upgrade."""

import json
from datetime import datetime
from decimal import Decimal

from drivers.api import Absent, Code, Kind, Reading, Value


def freeze(reading: Reading) -> bytes:
    return json.dumps(
        {
            "values": [
                [v.kind, None if v.number is None else str(v.number), v.unit, v.absent]
                for v in reading.values
            ],
            "taken_at": reading.taken_at and reading.taken_at.isoformat(),
            "taken_at_raw": reading.taken_at_raw.hex(),
            "flags": reading.flags,
            "codes": reading.codes,
            "sequence": reading.sequence,
            "user": reading.user,
            "trailing": reading.trailing.hex(),
        },
        separators=(",", ":"),
    ).encode()


def thaw(text: bytes) -> Reading:
    data = json.loads(text)
    return Reading(
        values=tuple(
            Value(
                Kind(kind),
                None if number is None else Decimal(number),
                unit,
                None if absent is None else Absent(absent),
            )
            for kind, number, unit, absent in data["values"]
        ),
        taken_at=data["taken_at"] and datetime.fromisoformat(data["taken_at"]),
        taken_at_raw=bytes.fromhex(data["taken_at_raw"]),
        flags=tuple(data["flags"]),
        codes=tuple(Code(*code) for code in data["codes"]),
        sequence=data["sequence"],
        user=data["user"],
        trailing=bytes.fromhex(data["trailing"]),
    )
