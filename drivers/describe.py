"""A reading as a JSON object, for people: `hjemgate decode`."""

from decimal import Decimal
from uuid import UUID

from drivers.api import DecodeError, Frame, Reading, Value, sig_uuid
from drivers.codec import Reader, plain
from drivers.registry import all_drivers, for_characteristic

FLOATS = {"SFLOAT": Reader.sfloat, "FLOAT": Reader.float32}


class RequestError(ValueError):
    """What was asked for cannot be decoded at all: the wording of the question is at fault."""


def decode_json(characteristic: str, hex_text: str) -> dict[str, object]:
    """Decode *hex_text*, octets in the order they came, spaces allowed.

    *characteristic*: four hex digits, a UUID, SFLOAT or FLOAT. Raises DecodeError if the octets
    are not what the specification says, RequestError if the question makes no sense.
    """
    name = characteristic.strip()
    if name.upper() in FLOATS:
        return _describe_float(name.upper(), octets_of(hex_text))
    uuid = characteristic_of(name)
    driver = for_characteristic(uuid)
    if driver is None:
        raise RequestError(f"no driver reads characteristic {name}; known are {_known()}")
    (reading,) = driver.decode([Frame(uuid, octets_of(hex_text))])
    return describe(driver.name, reading)


def describe(driver: str, reading: Reading) -> dict[str, object]:
    """Everything that *reading* says; what it does not say is null or empty."""
    taken_at = reading.taken_at
    raw = {"taken_at_raw": reading.taken_at_raw.hex()} if reading.taken_at_raw else {}
    return {
        "driver": driver,
        "values": [_describe_value(value) for value in reading.values],
        "taken_at": None if taken_at is None else taken_at.isoformat(),
        **raw,
        "flags": list(reading.flags),
        "codes": [{"system": code.system, "code": code.code} for code in reading.codes],
        "sequence": reading.sequence,
        "user": reading.user,
        "trailing": reading.trailing.hex(),
    }


def characteristic_of(text: str) -> UUID:
    """Four hex digits (16-bit UUID) or a full UUID. Raises RequestError."""
    short = text.lower().removeprefix("0x")
    try:
        return sig_uuid(int.from_bytes(bytes.fromhex(short))) if len(short) == 4 else UUID(text)
    except ValueError:
        raise RequestError(
            f"{text!r} is no characteristic: write four hex digits (2A35), a UUID, SFLOAT or FLOAT"
        ) from None


def octets_of(hex_text: str) -> bytes:
    """Hex digits, two an octet, spaces allowed anywhere between octets. Raises RequestError."""
    digits = "".join(hex_text.split())
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise RequestError(
            f"octets must be hex digits, two for each: got {len(digits)} characters in {hex_text!r}"
        ) from None


def _describe_value(value: Value) -> dict[str, object]:
    absent = {} if value.absent is None else {"absent": value.absent.value}
    return {
        "kind": value.kind.value,
        "number": _printed(value.number),
        "unit": value.unit,
        **absent,
    }


def _describe_float(name: str, octets: bytes) -> dict[str, object]:
    reader = Reader(octets)
    number = FLOATS[name](reader)
    if trailing := reader.rest():
        size = len(octets) - len(trailing)
        raise DecodeError(f"{name} has {size} octets, got {len(octets)}")
    absent = None if number.absent is None else number.absent.value
    return {"number": _printed(number.number), "absent": absent}


def _printed(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _known() -> str:
    shorts = [_short(c) for driver in all_drivers().values() for c in driver.readable]
    return ", ".join([*sorted(set(shorts)), *FLOATS])


def _short(characteristic: UUID) -> str:
    number = characteristic.int >> 96
    return f"{number:04X}" if sig_uuid(number) == characteristic else str(characteristic)
