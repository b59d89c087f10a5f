"""`./dev conformance`: HL7's validator over every kind of Bundle, and over broken ones."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.conformance.corpus import bundles
from tests.conformance.reasons import (
    REASONS,
    VITAL_SIGNS,
    Reason,
    reason,
    refusals,
    vital_refusals,
)
from tests.conformance.validator import Issue, Unavailable, validate
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
        " status 1 if a good one has an error or an unexplained warning, or a broken one has none.",
    )
    parser.add_argument("--all", action="store_true", help="print every issue, information too")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    good = bundles()
    bodies = {GOOD + name: body for name, body in good.items()}
    bodies |= {BAD + mutant.what: mutant.body() for mutant in MUTANTS}
    print(f"{len(good)} kinds of Bundle, {len(MUTANTS)} broken ones", flush=True)
    try:
        said = validate({**bodies, **_vital_signs(bodies)})
    except Unavailable as lack:
        print(f"./dev conformance: {lack}", file=sys.stderr)
        return EX_UNAVAILABLE
    if chosen.all:
        _print_all(said)
    failures = [*_good(good, said), *_bad(said)]
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
    for name, body in good.items():
        failures += [f"FAILED {name}: {_line(issue)}" for issue in refusals(said[GOOD + name])]
        rules = faults(json.loads(body, parse_float=Decimal))
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
    refused = [mutant for mutant in MUTANTS if _refused(mutant, said)]
    ours = [mutant.what for mutant in MUTANTS if not mutant.hl7]
    print(
        f"\nbroken Bundles: {len(refused)} of {len(MUTANTS)} refused by HL7's validator;"
        f" {len(ours)} break what it cannot know, and are refused by our own rules:\n  "
        + ", ".join(ours)
    )
    return [
        f"FAILED {mutant.what}: {why}" for mutant in MUTANTS if (why := _wrong(mutant, refused))
    ]


def _refused(mutant: Mutant, said: Mapping[str, Sequence[Issue]]) -> bool:
    vital = [name for name in said if name.startswith(f"{VITAL}{BAD}{mutant.what}/")]
    return bool(
        refusals(said[BAD + mutant.what]) or any(vital_refusals(said[name]) for name in vital)
    )


def _wrong(mutant: Mutant, refused: Sequence[Mutant]) -> str:
    if mutant.hl7 != (mutant in refused):
        return "HL7's validator " + ("does not refuse it" if mutant.hl7 else "refuses it after all")
    rules = {fault.partition(":")[0] for fault in faults(mutant.bundle())}
    return "" if mutant.rule in rules else f"our rule {mutant.rule} does not refuse it"


def _print_all(said: Mapping[str, Sequence[Issue]]) -> None:
    for name, issues in said.items():
        for issue in issues:
            print(f"{name}: {_line(issue)}")


def _line(issue: Issue) -> str:
    return f"{issue.severity} at {issue.at}: {issue.says} [{issue.id}]"


if __name__ == "__main__":
    sys.exit(main())
