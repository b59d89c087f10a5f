"""The command `withdraw`: a care team has found that a reading is not what it says."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, Strict, ValidationError

from gateway.contract.base import ContractError, Received, explain

WITHDRAW = "withdraw"


class WithdrawArguments(Received):
    """Members of `arguments`."""

    reading: UUID = Field(description="The user property `id` of the observation.")
    undo: Annotated[bool, Strict()] = Field(
        default=False, description="It was right after all: put it in force again."
    )


def withdraw_arguments(arguments: dict[str, JsonValue]) -> WithdrawArguments:
    """Raises ContractError."""
    try:
        return WithdrawArguments.model_validate(arguments)
    except ValidationError as error:
        raise ContractError(explain(error)) from None
