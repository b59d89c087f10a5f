"""What a demonstration shows at its end: a table, the Bundles, one of them to read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path

from backend.store import readings
from simulator.demo_proof import Verdict
from simulator.demo_story import NAMES, WIDTH, Story
from simulator.meters.meter import Meter

COLUMNS = 96
BLOOD_PRESSURE = b'"150020"'  # MDC_PRESS_BLD_NONINV: in the code of no other kind of Bundle


@dataclass(frozen=True, slots=True)
class Tally:
    """The journey of one meter's readings in numbers."""

    meter: str
    measured: int
    stored: int
    published: int
    confirmed: int
    lost: int
    doubled: int

    @property
    def whole(self) -> bool:
        """Whether the gateway told of every step of every reading."""
        return self.measured == self.stored == self.published == self.confirmed


def tallies(meters: Sequence[Meter], story: Story, verdict: Verdict) -> list[Tally]:
    """A receiver's word may overtake the broker's: what is confirmed was published."""
    return [
        Tally(
            NAMES[meter.driver],
            measured=len(meter.measured),
            stored=story.took(meter.driver, "stored"),
            published=story.took(meter.driver, "published", "received"),
            confirmed=story.took(meter.driver, "received"),
            lost=verdict.lost.get(meter.identity.serial, 0),
            doubled=verdict.doubled.get(meter.identity.serial, 0),
        )
        for meter in meters
    ]


def table(rows: Sequence[Tally]) -> str:
    heads = [field.name for field in fields(Tally)][1:]
    numbers = [[int(getattr(row, head)) for head in heads] for row in rows]
    totals = [sum(column) for column in zip(*numbers, strict=True)]
    lines = [f"{'':{WIDTH}}" + "".join(f"{head:>11}" for head in heads)]
    names = [row.meter for row in rows]
    for name, figures in zip([*names, "all"], [*numbers, totals], strict=True):
        lines.append(f"{name:{WIDTH}}" + "".join(f"{figure:>11}" for figure in figures))
    return "\n".join(lines)


def as_json(rows: Sequence[Tally], complaints: Sequence[str], folder: Path) -> str:
    answer = {
        "ok": not complaints,
        "meters": [asdict(row) for row in rows],
        "complaints": list(complaints),
        "bundles": str(folder),
    }
    return json.dumps(answer, ensure_ascii=False, indent=1)


def blood_pressure(held: Path) -> str | None:
    """The first blood pressure that the receiver holds, for people to read; None: it has none."""
    for reading in readings(held):
        if BLOOD_PRESSURE in reading.body:
            return pretty(json.loads(reading.body, parse_float=Decimal, parse_int=Decimal))
    return None


def pretty(node: object, indent: str = "", used: int = 0) -> str:
    """JSON with its numbers as they came; what fits into a line stays on one.

    Brackets around a single member take no lines of their own. *used*: columns taken on this line
    already.
    """
    line = _flat(node)
    if len(indent) + used + len(line) < COLUMNS or not isinstance(node, dict | list):
        return line
    if len(node) == 1:
        head, member = _only(node)
        tail = "}" if isinstance(node, dict) else "]"
        return f"{head}{pretty(member, indent, used + len(head))}{tail}"
    deeper = indent + " "
    opening, closing = ("{", "}") if isinstance(node, dict) else ("[", "]")
    return f"{opening}\n" + ",\n".join(_members(node, deeper)) + f"\n{indent}{closing}"


def _only(node: Mapping[str, object] | Sequence[object]) -> tuple[str, object]:
    """How the text of a container with one member begins, and that member."""
    if isinstance(node, Mapping):
        ((key, member),) = node.items()
        return f"{{{json.dumps(key)}: ", member
    return "[", node[0]


def _members(node: Mapping[str, object] | Sequence[object], indent: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            head = f"{json.dumps(key)}: "
            yield f"{indent}{head}{pretty(value, indent, len(head))}"
    else:
        for value in node:
            yield f"{indent}{pretty(value, indent)}"


def _flat(node: object) -> str:
    match node:
        case Decimal():
            return str(node)
        case dict():
            inside = ", ".join(f"{json.dumps(key)}: {_flat(value)}" for key, value in node.items())
            return "{" + inside + "}"
        case list():
            return "[" + ", ".join(_flat(value) for value in node) + "]"
        case _:
            return json.dumps(node, ensure_ascii=False)
