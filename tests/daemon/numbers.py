"""What meters told beside what a receiver holds: the numbers of each act of measurement."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from backend.store import StoredReading
from simulator.meters.meter import Measured


def told(meters: list[Measured]) -> Counter[tuple[Decimal, ...]]:
    """The numbers of each act of measurement, sorted, and how often there was one like it."""
    return Counter(
        tuple(sorted(value.number for value in each.values if value.number is not None))
        for each in meters
    )


def received(held: list[StoredReading]) -> Counter[tuple[Decimal, ...]]:
    """The same of Bundles; of one that was amended the newest version counts."""
    newest = {each.id: each for each in sorted(held, key=lambda each: each.version)}
    return Counter(
        tuple(sorted(_numbers(json.loads(each.body, parse_float=Decimal, parse_int=Decimal))))
        for each in newest.values()
    )


def _numbers(element: Any) -> Iterator[Decimal]:
    if isinstance(element, list):
        for each in element:
            yield from _numbers(each)
    elif isinstance(element, dict):
        for name, each in element.items():
            if name == "valueQuantity" and "value" in each:
                yield each["value"]
            else:
                yield from _numbers(each)
