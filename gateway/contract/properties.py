"""User properties of a message on `up/observation`: CloudEvents 1.0 attributes, and ours.

CloudEvents MQTT binding, binary mode: attributes are user properties under their own names, the
data's type is the Content Type.
"""

from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

from pydantic import Field, ValidationError

from gateway.contract.base import ContractError, Moment, Received, Sha256, Word, in_words

OBSERVATION: Final = "hjemgate.observation.1"
DEVICE: Final = "hjemgate.device.1"

Pairs = tuple[tuple[str, str], ...]


class Properties(Received):
    """What travels beside a Bundle. (source, id, version) names it, `sha256` proves it."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID = Field(
        description="The reading, or the Device; the same for every version and every resend.",
        json_schema_extra={"pattern": "^[0-9a-f-]{36}$"},
    )
    source: str = Field(
        pattern=r"^/hjemgate/1/[A-Za-z0-9._-]{1,64}/gw-[0-9a-hjkmnp-tv-z]{10}$",
        description="The gateway: its organisation and its name, as in the topic.",
    )
    type: Literal["hjemgate.observation.1", "hjemgate.device.1"] = OBSERVATION
    time: Moment | None = Field(
        default=None,
        description="When it was measured, or changed; left out where that is not known.",
    )
    epoch: Word = Field(description="New with every outbox of the gateway.")
    seq: int = Field(
        ge=1, lt=2**63, description="Counts within the epoch; a gap is a message that has not come."
    )
    version: int = Field(
        ge=1, lt=2**31, description="Higher for an amended reading, or a changed Device."
    )
    late: bool = Field(description="Older than 24 hours when it was made ready to send.")
    sha256: Sha256 = Field(description="Of the body's octets.")

    def pairs(self) -> Pairs:
        """As user properties."""
        values = self.model_dump(mode="json", exclude_none=True)
        return tuple((name, _text(value)) for name, value in values.items())


def parse_properties(pairs: Iterable[tuple[str, str]]) -> Properties:
    """Raises ContractError, and nothing else, whatever the properties are."""
    given = dict(pairs)
    try:
        found = Properties.model_validate_strings(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ContractError(f"user property {where}: {in_words(first)}"[:200]) from None
    for name, text in found.pairs():
        # One text each: a consumer compares texts. A moment may be written in many ways.
        if name != "time" and given.get(name) != text:
            raise ContractError(f"user property {name}: not as the contract writes it")
    return found


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
