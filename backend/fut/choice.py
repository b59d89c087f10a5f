"""Which activity of a care plan a measurement belongs to; pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from backend.fut import codes
from backend.fut.measured import Measurement, NotForFut, Part
from backend.fut.plan import Activity

EXACT, LOOSE = ("Resolved",), ("Adhoc", "Unresolved", "Extra")
UNASKED = "no active ServiceRequest asks for it"
APART = "systolic and diastolic are asked for at different times or in different episodes"
SLOT_SLACK = timedelta(hours=6)  # a slot of the plan may be a point; people are not


def asked(
    measurement: Measurement, plan: Sequence[Activity]
) -> Iterator[tuple[Activity, str, Part | None]]:
    """Which activity asks for what of it: identifier, and the part; None is the whole panel."""
    if not measurement.panel:
        (part,) = measurement.parts
        yield _choose(part.code.pair, measurement.moment, plan), measurement.identifier, part
        return
    if any(codes.PANEL in each.codes for each in plan):
        yield _choose(codes.PANEL, measurement.moment, plan), measurement.identifier, None
        return
    plan = _in_one_call(measurement.parts, plan)
    found = [_choose(part.code.pair, measurement.moment, plan) for part in measurement.parts]
    if len({each.call for each in found}) > 1:
        raise NotForFut(APART)
    for activity, part in zip(found, measurement.parts, strict=True):
        yield activity, measurement.alone(part), part


def _in_one_call(parts: Sequence[Part], plan: Sequence[Activity]) -> Sequence[Activity]:
    """Both or none: half a blood pressure misleads, and of two calls one may be refused."""
    asking = [[each for each in plan if part.code.pair in each.codes] for part in parts]
    if not all(asking):
        raise NotForFut(UNASKED)
    calls = set.intersection(*({each.call for each in some} for some in asking))
    if not calls:
        raise NotForFut(APART)
    return [each for each in plan if each.call in calls]


def _choose(code: tuple[str, str], moment: datetime, plan: Sequence[Activity]) -> Activity:
    """The slot that holds *moment*; else one without a slot; else the nearest slot."""
    asking = [each for each in plan if code in each.codes]
    if not asking:
        raise NotForFut(UNASKED)
    asking = [each for each in asking if each.asked_at(moment)]
    if not asking:  # an old reading is never made to fit a plan of today
        raise NotForFut("when it was measured, no ServiceRequest that is active now asked for it")
    rounds: tuple[list[Activity], ...] = (
        [each for each in asking if each.timing in EXACT and not each.distance(moment)],
        *([each for each in asking if each.timing == timing] for timing in LOOSE),
        [each for each in asking if each.distance(moment) <= SLOT_SLACK],
    )
    for fitting in rounds:
        if len({each.episode for each in fitting}) > 1:
            raise NotForFut("several episodes of care ask for it: name the one that is meant")
        if fitting:
            return min(
                fitting,
                key=lambda each: (each.distance(moment), each.start or "", each.service_request),
            )
    raise NotForFut("it was measured at no time that the plan asks for")
