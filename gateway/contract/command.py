"""Commands and replies: the envelopes. `replay` and `withdraw` are carried out so far."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue

from gateway.contract.base import (
    ContractError,
    Emitted,
    GatewayId,
    Moment,
    Received,
    Segment,
    Text,
    Word,
    parse,
)
from gateway.contract.replay import ReplayResult


class Command(Received):
    """Body of `down/command`."""

    id: UUID
    issuer: Segment = Field(description="Who commands; `number` is counted per issuer.")
    number: int = Field(ge=1, lt=2**63, description="Rises with every command of the issuer.")
    expires: Moment = Field(description="Not to be carried out at or after this moment.")
    command: Word = Field(description="What to do.")
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    signature: str = Field(
        min_length=1,
        max_length=1024,
        description="Base64: Ed25519 by the fleet key, which is pinned at the gateway.",
    )


class Reply(Emitted):
    """Body of `up/reply`. Correlation Data is copied from the command, where it had any."""

    id: UUID | None = Field(description="Of the command; null where none could be read.")
    gateway: GatewayId
    at: AwareDatetime
    status: Literal["done", "refused", "failed"]
    reason: Text | None = None
    result: ReplayResult | None = Field(default=None, description="Of a `replay` that was done.")


def parse_command(body: bytes) -> Command:
    """Raises ContractError, and nothing else, for any octets."""
    return parse(Command, body)


def refusal(
    body: bytes, gateway: str, at: datetime, reason: str = "not supported by this version"
) -> Reply:
    """The answer to a command in *body* that is not carried out."""
    try:
        command = parse_command(body)
    except ContractError as error:
        return Reply(id=None, gateway=gateway, at=at, status="refused", reason=str(error))
    return Reply(id=command.id, gateway=gateway, at=at, status="refused", reason=reason)
