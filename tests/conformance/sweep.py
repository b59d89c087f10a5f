"""Every element of different Bundles left out, doubled, emptied or given another value.

Where nobody has thought of a fault: what HL7's validator finds an error in, our own rules refuse.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.fhir import render
from gateway.fhir.serial import dumps
from tests.conformance.reasons import ERRORS
from tests.conformance.validator import Issue, validate
from tests.fhir.elements import Json
from tests.fhir.records import CASES
from tests.fhir.rules import faults

DIFFERENT = (
    "blood-pressure-of-a-meter-that-tells-all",
    "blood-pressure-kpa-with-status",
    "glucose-with-context",
    "oximetry",
    "blood-pressure-simulated-patient-entry",
    "blood-pressure-time-unknown",
    "weight",
    "glucose-high",
    "temperature",
)
Path = tuple[str | int, ...]
Change = Callable[[Any, Any], object]  # of what an element stands in, and its name or place there


class Swept(NamedTuple):
    tried: int
    errors: int  # in which HL7's validator finds any
    caught: int  # by our own rules
    overlooked: Sequence[str]  # by these alone


def changed() -> Iterator[tuple[str, str, Json]]:
    """Name, case and Bundle; an element of a profile is changed where it is met first."""
    met: set[tuple[object, ...]] = set()
    for case in DIFFERENT:
        whole: Json = json.loads(render(CASES[case]), parse_float=Decimal)
        for number, entry in enumerate(whole["entry"]):
            profile = entry["resource"]["meta"]["profile"][0]
            for path, node in _elements(entry, ()):
                for how, change in _changes(path[-1], node):
                    if (profile, path, how) not in met:
                        met.add((profile, path, how))
                        bundle = copy.deepcopy(whole)
                        change(_within(bundle["entry"][number], path[:-1]), path[-1])
                        at = ".".join(str(step) for step in (number, *path))
                        yield f"{case}, {at} {how}", case, bundle


def _elements(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """But for the type of a resource: without it nothing can be read."""
    for step, item in node.items() if isinstance(node, dict) else enumerate(node):
        if step != "resourceType":
            yield (*path, step), item
            if isinstance(item, dict | list):
                yield from _elements(item, (*path, step))


def _within(node: Any, path: Path) -> Any:
    for step in path:
        node = node[step]
    return node


def _changes(step: str | int, node: Any) -> Iterator[tuple[str, Change]]:
    yield "left out", lambda parent, at: parent.pop(at)
    if isinstance(step, int):
        yield "doubled", lambda parent, at: parent.append(copy.deepcopy(parent[at]))
    if isinstance(node, str):
        yield "emptied", lambda parent, at: parent.__setitem__(at, "")
        yield "of another value", lambda parent, at: parent.__setitem__(at, _other(parent[at]))


def _other(text: str) -> str:
    if text.startswith("urn:uuid:"):
        return text[:-1] + ("1" if text.endswith("0") else "0")
    return "zz9"


def sweep() -> Swept:
    """Raises Unavailable."""
    bundles = {name: (case, bundle) for name, case, bundle in changed()}
    said = validate({name: dumps(bundle) for name, (_, bundle) in bundles.items()})
    errors = {name: found for name, issues in said.items() if (found := _errors(issues))}
    caught = {name for name, (case, bundle) in bundles.items() if faults(bundle, CASES[case])}
    missed = [f"FAILED {name}: {found[0]}" for name, found in errors.items() if name not in caught]
    return Swept(len(bundles), len(errors), len(caught), missed)


def _errors(issues: Sequence[Issue]) -> Sequence[str]:
    return [f"{issue.at}: {issue.says}" for issue in issues if issue.severity in ERRORS]
