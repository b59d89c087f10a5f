"""What every message has in common: strictness, identifiers, and bounded reading."""

import re
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails

MAX_DOWN = 65536  # octets of a message towards the gateway; a full list of receipts is half of it

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _as_text(value: object) -> object:
    """pydantic by itself would read numbers, and moments without seconds, as well."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("expected a date-time as RFC 3339 writes it")


Moment = Annotated[AwareDatetime, BeforeValidator(_as_text)]
GatewayId = Annotated[str, Field(pattern=r"^gw-[0-9a-hjkmnp-tv-z]{10}$")]
Segment = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]  # one level of a topic
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=500)]


class ContractError(ValueError):
    """This is not a message of the contract. The text quotes nothing that was in it."""


class Emitted(BaseModel):
    """What we send: nothing beyond the contract."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Received(BaseModel):
    """What we are sent: unknown members may come with later versions, and are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


Model = TypeVar("Model", bound=Received)


def parse(model: type[Model], body: bytes) -> Model:
    """Read *body* as *model*. Raises ContractError, and nothing else, for any octets."""
    if len(body) > MAX_DOWN:
        raise ContractError(f"expected at most {MAX_DOWN} octets, got {len(body)}")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ContractError(explain(error)) from None  # the cause would quote the message


def explain(error: ValidationError) -> str:
    """What is wrong, without a word of the message."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return "not JSON"
    return f"{where or 'message'}: {in_words(first)}"[:200]


def in_words(fault: ErrorDetails) -> str:
    """pydantic's, but for what quotes a character of the message."""
    return "not a UUID" if fault["type"] == "uuid_parsing" else fault["msg"]
