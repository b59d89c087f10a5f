"""The command `replay`: what a backend asks for again, and what it is told."""

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, JsonValue, ValidationError, model_validator

from gateway.contract.base import ContractError, Emitted, Moment, Received, Word, explain

REPLAY = "replay"
MAX_SPANS = 100  # in one answer: a reply stays small

Seq = Annotated[int, Field(ge=1, lt=2**63)]
Span = tuple[int, int]

_BY_SPAN: Final = ("epoch", "first", "last")
_ONE_OF_BOTH: Final[dict[str, JsonValue]] = {  # what the validator below asks, for the schema
    "oneOf": [
        {"required": ["epoch", "first"], "properties": {"since": False}},
        {"required": ["since"], "properties": dict.fromkeys(_BY_SPAN, False)},
    ]
}


class ReplayArguments(Received):
    """Members of `arguments`: either a span of numbers, or a moment."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_BOTH)

    epoch: Word | None = Field(default=None, description="In which `first` and `last` count.")
    first: Seq | None = None
    last: Seq | None = Field(default=None, description="Left out: everything from `first` on.")
    since: Moment | None = Field(
        default=None, description="Instead of a span: whatever was confirmed from then on."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        by_span = self.since is None and None not in (self.epoch, self.first)
        by_time = self.since is not None and not any((self.epoch, self.first, self.last))
        if by_span or by_time:
            return self
        raise ValueError("give epoch and first, and last if it is to end; or since")


class ReplayResult(Emitted):
    """The member `result` of the reply. A span is a first and a last number."""

    again: int = Field(ge=0, description="Readings that go out again, with the same octets.")
    waiting: int = Field(ge=0, description="Not confirmed yet: they come anyway.")
    gone: tuple[Span, ...] = Field(
        default=(), description="Confirmed long ago; their contents are purged here."
    )
    void: tuple[Span, ...] = Field(
        default=(),
        description="Nothing stands behind these any more: a later version has another number,"
        " a technician discarded it or keeps it back, or the meter was forgotten.",
    )


def replay_arguments(arguments: dict[str, JsonValue]) -> ReplayArguments:
    """Raises ContractError."""
    try:
        return ReplayArguments.model_validate(arguments)
    except ValidationError as error:
        raise ContractError(explain(error)) from None
