"""`./dev conformance`: HL7's validator over every kind of Bundle, and over broken ones."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.conformance.announced import announcements
from tests.conformance.corpus import bundles, every_record
from tests.conformance.reasons import (
    REASONS,
    VITAL_SIGNS,
    Reason,
    reason,
    refusals,
    vital_refusals,
)
from tests.conformance.sweep import Swept, sweep
from tests.conformance.validator import Issue, Unavailable, validate
from tests.conformance.verdict import complaints, wrong
from tests.conformance.vital_signs import alone
from tests.fhir.mutants import MUTANTS, Mutant
from tests.fhir.rules import faults

EX_UNAVAILABLE = 69
SHOWN = 50  # failures: one cause makes hundreds
GOOD, BAD, VITAL = "good: ", "bad: ", "vital sign of "


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="./dev conformance",
        description="Hold every kind of Bundle that the gateway can send against FHIR R4, HL7's PHD"
        " guide and DK Core, with HL7's validator; and let it refuse Bundles with a fault. Exit"
        " status 1 if a good one has an error or an unexplained warning, or a broken one lacks the"
        " error that it is made for.",
    )
    parser.add_argument("--all", action="store_true", help="print every issue, information too")
    parser.add_argument(
        "--every-element",
        action="store_true",
        help="change every element of different Bundles, too: what the validator finds an error in,"
        " our own rules must refuse",
    )
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    good = {**bundles(), **announcements()}
    bodies = {GOOD + name: body for name, body in good.items()}
    bodies |= {BAD + mutant.what: mutant.body() for mutant in MUTANTS}
    print(f"{len(good)} kinds of Bundle, {len(MUTANTS)} broken ones", flush=True)
    try:
        said = validate({**bodies, **_vital_signs(bodies)})
        swept = sweep() if chosen.every_element else None
    except Unavailable as lack:
        print(f"./dev conformance: {lack}", file=sys.stderr)
        return EX_UNAVAILABLE
    if chosen.all:
        _print_all(said)
    failures = [*_good(good, said), *_bad(said), *(_swept(swept) if swept else ())]
    shown = failures if chosen.all else failures[:SHOWN]
    print("\n".join(shown))
    if len(shown) < len(failures):
        print(f"and {len(failures) - len(shown)} more: --all prints them")
    verdict = f"{len(failures)} FAILED" if failures else "all as they should be"
    print(f"\nconformance: {verdict}, in {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


def _vital_signs(bodies: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Of all these Bundles; of those with the same octets the first."""
    found: dict[bytes, str] = {}
    for name, body in bodies.items():
        for number, observation in enumerate(alone(body)):
            found.setdefault(observation, f"{VITAL}{name}/{number}")
    return {name: body for body, name in found.items()}


def _good(good: Mapping[str, bytes], said: Mapping[str, Sequence[Issue]]) -> list[str]:
    failures = []
    records = dict(every_record())
    for name, body in good.items():
        failures += [f"FAILED {name}: {_line(issue)}" for issue in refusals(said[GOOD + name])]
        rules = faults(json.loads(body, parse_float=Decimal), records.get(name))
        failures += [f"FAILED {name}: {fault}" for fault in rules]
    print(f"\ngood Bundles: {len(failures)} errors and unexplained warnings")
    failures += _explained(GOOD, said, REASONS)
    vital = [name for name in said if name.startswith(VITAL + GOOD)]
    refused = [f"FAILED {name}: {_line(i)}" for name in vital for i in vital_refusals(said[name])]
    print(f"\ntheir {len(vital)} kinds of vital signs by R4's profiles: {len(refused)} unexplained")
    return [*failures, *refused, *_explained(VITAL + GOOD, said, VITAL_SIGNS)]


def _explained(
    which: str, said: Mapping[str, Sequence[Issue]], reasons: Sequence[Reason]
) -> list[str]:
    """Prints each reason with the number of issues that it is for; one for none is a failure."""
    issues = [issue for name in said if name.startswith(which) for issue in said[name]]
    count = Counter(found for issue in issues if (found := reason(issue, reasons)))
    for known in reasons:
        print(f"  {count[known]:5} explained: {known.part}\n        {known.because}")
    return [f"FAILED nothing needs the reason for {r.part}" for r in reasons if not count[r]]


def _bad(said: Mapping[str, Sequence[Issue]]) -> list[str]:
    ours = [mutant for mutant in MUTANTS if not mutant.hl7]
    warned = [mutant for mutant in ours if complaints(*_of(mutant, said))]
    unseen = [mutant for mutant in ours if mutant not in warned]
    print(
        f"\nbroken Bundles: {len(MUTANTS)}, each refused by the rule of ours that it is made for."
        f"\n  {len(MUTANTS) - len(ours)} HL7's validator refuses as well, with the error expected;"
        f"\n  {len(warned)} it only warns of, or stumbles over elsewhere: {_list(warned)};"
        f"\n  {len(unseen)} it takes, for it cannot know: {_list(unseen)}"
    )
    return [
        f"FAILED {mutant.what}: {why}"
        for mutant in MUTANTS
        if (why := wrong(mutant, *_of(mutant, said)))
    ]


def _list(mutants: Sequence[Mutant]) -> str:
    return ", ".join(mutant.what for mutant in mutants)


def _of(mutant: Mutant, said: Mapping[str, Sequence[Issue]]) -> tuple[list[Issue], list[Issue]]:
    """Of its Bundle, and of its vital signs."""
    vital = [name for name in said if name.startswith(f"{VITAL}{BAD}{mutant.what}/")]
    return [*said[BAD + mutant.what]], [issue for name in vital for issue in said[name]]


def _swept(swept: Swept) -> Sequence[str]:
    print(
        f"\n{swept.tried} Bundles with an element changed: HL7's validator finds errors in"
        f" {swept.errors}, our own rules faults in {swept.caught}"
    )
    return swept.overlooked


def _print_all(said: Mapping[str, Sequence[Issue]]) -> None:
    for name, issues in said.items():
        for issue in issues:
            print(f"{name}: {_line(issue)}")


def _line(issue: Issue) -> str:
    return f"{issue.severity} at {issue.at}: {issue.says} [{issue.id}]"


if __name__ == "__main__":
    sys.exit(main())
