"""Commands and replies: the envelopes. This version carries out no command, and says so."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue

from gateway.contract.base import (
    ContractError,
    Emitted,
    GatewayId,
    Received,
    Segment,
    Text,
    Word,
    parse,
)


class Command(Received):
    """Body of `down/command`."""

    id: UUID
    issuer: Segment = Field(description="Who commands; `number` is counted per issuer.")
    number: int = Field(ge=1, lt=2**63, description="Rises with every command of the issuer.")
    expires: AwareDatetime = Field(description="Not to be carried out at or after this moment.")
    command: Word = Field(description="What to do.")
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    signature: str = Field(
        min_length=1, max_length=1024, description="Base64, by the fleet key pinned at enrolment."
    )


class Reply(Emitted):
    """Body of `up/reply`. Correlation Data is copied from the command, where it had any."""

    id: UUID | None = Field(description="Of the command; null where none could be read.")
    gateway: GatewayId
    at: AwareDatetime
    status: Literal["done", "refused", "failed"]
    reason: Text | None = None


def parse_command(body: bytes) -> Command:
    """Raises ContractError, and nothing else, for any octets."""
    return parse(Command, body)


def refusal(body: bytes, gateway: str, at: datetime) -> Reply:
    """The answer to the command in *body*: this version carries out none."""
    try:
        command = parse_command(body)
    except ContractError as error:
        return Reply(id=None, gateway=gateway, at=at, status="refused", reason=str(error))
    reason = "not supported by this version"
    return Reply(id=command.id, gateway=gateway, at=at, status="refused", reason=reason)
