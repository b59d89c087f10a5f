"""What a demonstration shows at its end: the proof, a table, and one of the Bundles to read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path

from backend.store import readings
from simulator.demo_proof import Verdict, judge, told_by_meter, told_by_receiver
from simulator.demo_story import NAMES, WIDTH, Story
from simulator.meters.meter import Meter
from simulator.stage import Stage

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """`complaints` says in words what is not as promised; empty: all is well."""

    tallies: Sequence[Tally]
    complaints: Sequence[str]


async def prove(here: Stage, story: Story, patients: Mapping[str, str]) -> Outcome:
    """Hold meters, gateway and receiver against each other. *patients*: by driver."""
    meters = here.home.meters
    measured = [
        told_by_meter(meter, patients[meter.driver], each)
        for meter in meters
        for each in meter.measured
    ]
    verdict = judge(measured, [told_by_receiver(each.body) for each in readings(here.held)])
    rows = _tallies(meters, story, verdict)
    complaints = list(verdict.complaints)
    counted: Mapping[str, int] = (await here.ask("status"))["status"]["rows"]
    if counted["received"] != len(measured) or sum(counted.values()) != len(measured):
        told = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
        complaints.append(f"the gateway has {told or 'nothing'}; measured were {len(measured)}")
    complaints += [f"{row.meter}: steps are missing in the table" for row in rows if not row.whole]
    return Outcome(rows, [_with_names(meters, complaint) for complaint in complaints])


def _with_names(meters: Sequence[Meter], complaint: str) -> str:
    """The proof knows meters by their serial numbers, people by what they are."""
    for meter in meters:
        complaint = complaint.replace(meter.identity.serial, NAMES[meter.driver])
    return complaint


def _tallies(meters: Sequence[Meter], story: Story, verdict: Verdict) -> list[Tally]:
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
