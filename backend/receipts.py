"""Receipts, in messages that a gateway takes."""

from collections.abc import Iterable, Iterator

from gateway import contract
from gateway.contract import Publication, Receipt, Receipts, Topics

MAX_RECEIPTS = 100  # in one message, by the contract
MAX_OCTETS = 65_536  # the same; a hundred long reasons are more


def messages(topics: Topics, receipts: Iterable[Receipt]) -> Iterator[Publication]:
    """As few as may be, in the order of *receipts*."""
    some: list[Receipt] = []
    octets = 0
    for receipt in receipts:
        own = len(_message(topics, [receipt]).body)  # with what stands around it
        if len(some) == MAX_RECEIPTS or octets + own > MAX_OCTETS:
            yield _message(topics, some)
            some, octets = [], 0
        some.append(receipt)
        octets += own
    if some:
        yield _message(topics, some)


def _message(topics: Topics, receipts: list[Receipt]) -> Publication:
    return contract.receipts(topics, Receipts(receipts=tuple(receipts)))
