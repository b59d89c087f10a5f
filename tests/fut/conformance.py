"""`python -m tests.fut.conformance`: HL7's validator over all that is projected for FUT.

Against FUT's `ehealth-observation` of 8.0.0 and of 10.0.0, with FUT's value sets; and over
Observations with a fault, each of which it must refuse. Needs Java and Maven, and FUT's published
resources (docs/fut.md). Exit status 1 if anything is not as it should be: an error, a warning, a
broken one that is taken. FHIR's advice that a resource should have a narrative (`dom-6`) is no
fault: a measurement is no text.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from backend.fut.codes import FASTING_GLUCOSE
from backend.fut.measured import Rules
from backend.onward_json import octets
from tests.conformance import terminology
from tests.conformance.validator import HERE, PATIENCE_S, QUICK, Issue, Unavailable, class_path
from tests.fut import plans
from tests.fut.packages import VERSIONS, folder
from tests.fut.plans import Row, slot
from tests.fut.test_profile import APART, KINDS, ORDERS, PANEL, with_devices
from tests.fut.test_projection import observations, projected

TYPES = ("StructureDefinition", "ValueSet", "CodeSystem", "NamingSystem")
ADVICE = "dom-6"
BAD = "bad: "
EX_UNAVAILABLE = 69


def main() -> int:
    try:
        return _run()
    except (Unavailable, pytest.skip.Exception) as lack:
        _say(f"tests.fut.conformance: {lack}")
        return EX_UNAVAILABLE


def _run() -> int:
    failures = []
    for version in VERSIONS:
        bodies = {**dict(_good(version)), **dict(_bad())}
        said = _validated(version, bodies)
        failures += [f"{version} {name}: {why}" for name, why in _failures(said)]
        good = sum(not name.startswith(BAD) for name in bodies)
        _say(
            f"ehealth-observation {version}: {good} Observations, {len(bodies) - good} broken ones"
        )
    for failure in failures:
        _say(f"FAILED {failure}")
    _say("all as they should be" if not failures else f"{len(failures)} FAILED")
    return 1 if failures else 0


def _good(version: str) -> Iterator[tuple[str, bytes]]:
    number = int(version.partition(".")[0])
    for what in KINDS:
        if what == "glucose-fasting" and number < FASTING_GLUCOSE.since:
            continue
        for shape in (PANEL, APART):
            # Both halves of a blood pressure alike: they go in one call, or not at all.
            rows = [
                slot(code, *plans.MORNING, request=str(n))
                if n // 2 % 2
                else Row(code, request=str(n))
                for n, code in enumerate((*shape, *ORDERS))
            ]
            for further in (True, False):
                rules = Rules(version=number, further_codings=further)
                for n, each in enumerate(observations(projected(what, *rows, rules=rules))):
                    yield f"{what} of {len(shape)}, {further}, {n}", octets(each)

    for each in with_devices(number):
        yield "weight with devices", octets(each)


def _bad() -> Iterator[tuple[str, bytes]]:
    (whole,) = observations(projected("weight", Row(plans.WEIGHT)))
    episode, quality, timing = whole["extension"]
    loinc = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    changes: Mapping[str, Mapping[str, Any]] = {
        "no order": {"basedOn": None},
        "no episode": {"extension": [quality, timing]},
        "no timing": {"extension": [episode, quality]},
        "no code of FUT's": {"code": loinc},
        "two performers": {"performer": whole["performer"] * 2},
        "no moment": {"effectiveDateTime": None},
    }
    for what, change in changes.items():
        broken = {name: value for name, value in {**whole, **change}.items() if value is not None}
        yield BAD + what, octets(broken)


def _failures(said: Mapping[str, list[Issue]]) -> Iterator[tuple[str, str]]:
    for name, issues in said.items():
        told = [issue for issue in issues if issue.severity != "information"]
        told = [issue for issue in told if not issue.id.endswith(ADVICE)]
        refused = any(issue.severity in {"error", "fatal"} for issue in told)
        if name.startswith(BAD):
            if not refused:
                yield name, "is not refused"
            continue
        for issue in told:
            yield name, f"{issue.severity} at {issue.at}: {issue.says}"


def _validated(version: str, bodies: Mapping[str, bytes]) -> Mapping[str, list[Issue]]:
    with tempfile.TemporaryDirectory(prefix="conformance-fut-") as made:
        folders = [str(each) for each in _guides(version, Path(made))]
        asked = [json.dumps({"name": name, "body": body.decode()}) for name, body in bodies.items()]
        done = subprocess.run(
            ["java", QUICK, "-cp", class_path(), str(HERE / "Validate.java"), *folders],
            input="\n".join(asked).encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["name"]: [Issue(**issue) for issue in each["issues"]] for each in answers}


def _guides(version: str, into: Path) -> Iterator[Path]:
    """FUT's guide: 8.0.0, with the files of *version* in the place of its own; what it depends on;
    and the code systems that nobody's guide carries.
    """
    oldest = folder(VERSIONS[0])
    guide, systems = into / "guide", into / "systems"
    guide.mkdir()
    systems.mkdir()
    for source in (oldest, folder(version)):
        for path in source.glob("*.json"):
            if path.name.startswith(TYPES):
                shutil.copy(path, guide)
    yield guide
    for path in (oldest / "dependencies").rglob("*.json"):
        if path.name.startswith(TYPES):
            place = into / path.parent.name
            place.mkdir(exist_ok=True)
            shutil.copy(path, place)
    yield from (each for each in into.iterdir() if each not in {guide, systems})
    have = {json.loads(path.read_text()).get("url") for path in guide.glob("CodeSystem-*.json")}
    terminology.write(systems, systems)
    for path in systems.glob("*.json"):
        if json.loads(path.read_text()).get("url") in have:
            path.unlink()
    yield systems


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
