"""Receipts: the receiver's word on readings, on `down/receipt`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from gateway.contract.base import Moment, Received, Segment, Sha256, Text, Word, parse

MAX_RECEIPTS = 100  # in one message

ReceiptStatus = Literal["stored", "duplicate", "rejected", "delivered", "undeliverable"]


class Receipt(Received):
    """One receiver's word on one version of one reading."""

    id: UUID = Field(description="The reading: the user property `id` of the observation.")
    epoch: Word = Field(description="As in the user property `epoch`.")
    sha256: Sha256 = Field(description="Of the Bundle's octets as received, lower-case hex.")
    by: Segment = Field(description="The name of the receiver.")
    status: ReceiptStatus = Field(
        description="stored, duplicate: durable here. rejected: a human must look."
        " delivered, undeliverable: what became of it onward."
    )
    at: Moment = Field(description="The receiver's clock.")
    reason: Text | None = Field(default=None, description="For a technician; nothing personal.")


class Receipts(Received):
    """Body of `down/receipt`."""

    receipts: Annotated[tuple[Receipt, ...], Field(min_length=1, max_length=MAX_RECEIPTS)]


def parse_receipts(body: bytes) -> Receipts:
    """Raises ContractError, and nothing else, for any octets."""
    return parse(Receipts, body)
