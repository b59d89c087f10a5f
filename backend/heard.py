"""Status documents and replies, as a receiver reads them: what it needs, and no more.

Members that are not known here may come with later gateways, and are ignored.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

from backend.store.asks import Answer
from backend.store.gateways import Word
from gateway.contract import ContractError, GatewayId, Topics

MAX_STATUS = 262_144  # octets


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment that UTC has no date for") from None


def _printable(text: str) -> str:
    """Nothing that would speak to a terminal."""
    if not text.isprintable():
        raise ValueError("control characters")
    return text


def _on_one_line(text: str) -> str:
    """What a person wrote is too good to be refused for a tab."""
    return "".join(char if char.isprintable() else " " for char in text)


def _forward(span: tuple[int, int]) -> tuple[int, int]:
    if span[0] > span[1]:
        raise ValueError("a span that ends before it begins")
    return span


Count = Annotated[int, Field(ge=0, lt=2**63)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Short = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Words = Annotated[str, Field(max_length=500), AfterValidator(_on_one_line)]
Span = Annotated[tuple[Count, Count], AfterValidator(_forward)]


class _Heard(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Oldest(_Heard):
    seq: Count


class _Status(_Heard):
    online: bool
    at: Moment
    gateway: GatewayId
    version: Short
    epoch: Short | None = None
    last_seq: Count | None = None
    oldest_unreceipted: _Oldest | None = None


class _Result(_Heard):
    again: Count
    waiting: Count
    gone: list[Span] = Field(default=[], max_length=1000)
    void: list[Span] = Field(default=[], max_length=1000)


class _Reply(_Heard):
    id: UUID | None
    gateway: GatewayId
    status: Literal["done", "refused", "failed"]
    reason: Words | None = None
    result: _Result | None = None


def status(topics: Topics, body: bytes) -> Word:
    """Raises ContractError."""
    said = _read(_Status, topics, body)
    confirmed = said.last_seq
    if said.oldest_unreceipted is not None:
        confirmed = said.oldest_unreceipted.seq - 1
    return Word(
        *(topics.organisation, topics.gateway, said.online, said.version, said.at),
        *(said.epoch, confirmed),
    )


def reply(topics: Topics, body: bytes) -> tuple[UUID | None, Answer]:
    """To which command (None: the gateway could not read it), and what. Raises ContractError."""
    said = _read(_Reply, topics, body)
    result: dict[str, Any] | None = None
    if said.result is not None:
        result = said.result.model_dump(mode="json")
    return said.id, Answer(said.status, said.reason, result)


Model = TypeVar("Model", _Status, _Reply)


def _read(model: type[Model], topics: Topics, body: bytes) -> Model:
    if len(body) > MAX_STATUS:
        raise ContractError(f"body: expected at most {MAX_STATUS} octets, got {len(body)}")
    try:
        said = model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        own = first["type"] == "value_error"  # in words of this module, which quote nothing
        words = first["msg"].removeprefix("Value error, ") if own else first["type"]
        raise ContractError(f"body: {where or 'message'}: {words}"[:200]) from None
    if said.gateway != topics.gateway:
        raise ContractError("body: its gateway is not that of the topic")
    return said
