"""What was measured held against what the receiver has: nothing lost, doubled or misplaced."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from backend.store import StoredReading
from simulator.demo_proof import SAME_MOMENT, Facts, told_by_receiver

Said = tuple[str, frozenset[tuple[str, str, str]]]  # by which meter, and the numbers
FINAL, AMENDED = frozenset({"final"}), frozenset({"amended"})


@dataclass(slots=True)
class Judgement:
    """Counts, and `complaints` in words."""

    lost: list[Facts] = field(default_factory=list)
    doubled: int = 0
    wrong_patient: int = 0
    wrong_time: int = 0
    wrong_else: int = 0  # status or meal
    complaints: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        wrong = self.wrong_patient + self.wrong_time + self.wrong_else
        return not (self.lost or self.doubled or wrong)


def newest(held: Iterable[StoredReading]) -> list[Facts]:
    """Of each reading the last version: what a receiver goes by."""
    versions: dict[object, StoredReading] = {}
    for each in held:
        known = versions.get(each.id)
        if known is None or each.version > known.version:
            versions[each.id] = each
    return [_as_first(each) for each in versions.values()]


def _as_first(held: StoredReading) -> Facts:
    """An amended version says so, and a first one does not: then it is as its meter told it."""
    facts = told_by_receiver(held.body)
    if held.version > 1 and facts.statuses == AMENDED:
        return replace(facts, statuses=FINAL)
    return facts


def judge(measured: Sequence[Facts], held: Sequence[Facts]) -> Judgement:
    """Each measured reading is to be held once and as it was.

    Paired are, among those with the same numbers of the same meter, first what agrees in all, then
    the nearest in time: a second copy is left over and counts as doubled, whatever else it says.
    """
    verdict = Judgement()
    truths: defaultdict[Said, list[Facts]] = defaultdict(list)
    copies: defaultdict[Said, list[Facts]] = defaultdict(list)
    for each in measured:
        truths[each.meter, each.numbers].append(each)
    for each in held:
        copies[each.meter, each.numbers].append(each)
    for said in truths.keys() | copies.keys():
        _pair(truths[said], copies[said], verdict)
    return verdict


def _pair(truths: list[Facts], copies: list[Facts], verdict: Judgement) -> None:
    left = list(copies)
    unanswered: list[Facts] = []
    for truth in truths:
        found = next((each for each in left if _agree(truth, each)), None)
        if found is None:
            unanswered.append(truth)
        else:
            left.remove(found)
    # A second copy of what has been paired is not to be taken for one that is missing.
    extra = [each for each in left if any(_same_time(truth, each) for truth in truths)]
    extra = [each for each in extra if not any(_same_time(truth, each) for truth in unanswered)]
    for copy in extra:
        verdict.doubled += 1
        verdict.complaints.append(f"doubled: {_name(copy)}")
    left = [each for each in left if not any(each is copy for copy in extra)]
    for truth in unanswered:
        nearest = min(left, key=lambda each: _apart(truth, each), default=None)
        if nearest is None:
            verdict.lost.append(truth)
        else:
            left.remove(nearest)
            _blame(truth, nearest, verdict)
    for copy in left:
        verdict.doubled += 1
        verdict.complaints.append(f"never measured so: {_name(copy)}")


def _agree(truth: Facts, copy: Facts) -> bool:
    return (
        _same_time(truth, copy)
        and truth.patients == copy.patients
        and truth.meal == copy.meal
        and truth.statuses == copy.statuses
    )


def _same_time(truth: Facts, copy: Facts) -> bool:
    return _apart(truth, copy) <= SAME_MOMENT.total_seconds()


def _apart(truth: Facts, copy: Facts) -> float:
    """Seconds, at the worst of what the copy says; endless if it says none."""
    (at,) = truth.moments
    assert at is not None, "meters know when they measured"
    if not copy.moments or None in copy.moments:
        return float("inf")
    return max(abs((each - at).total_seconds()) for each in copy.moments if each is not None)


def _blame(truth: Facts, copy: Facts, verdict: Judgement) -> None:
    if truth.patients != copy.patients:
        verdict.wrong_patient += 1
        verdict.complaints.append(f"wrong patient: {_name(copy)}")
    if not _same_time(truth, copy):
        verdict.wrong_time += 1
        verdict.complaints.append(f"wrong time: {_name(copy)} instead of {_times(truth.moments)}")
    if truth.statuses != copy.statuses or truth.meal != copy.meal:
        verdict.wrong_else += 1
        told = f"{sorted(copy.statuses)}, meal {copy.meal} instead of {truth.meal}"
        verdict.complaints.append(f"not as it was: {_name(copy)}: {told}")


def _name(facts: Facts) -> str:
    numbers = ", ".join(sorted(f"{number} {unit}" for _, number, unit in facts.numbers))
    return f"{facts.meter}, {numbers}, {_times(facts.moments)}"


def _times(moments: Iterable[datetime | None]) -> str:
    return ", ".join(sorted(str(each or "no time") for each in moments)) or "no time"
