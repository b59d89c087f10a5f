"""What comes together in a home: an ordinary reading, changed in more than one way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from drivers.api import Code, Frame, Reading
from drivers.sig_glucose import DRIVER as GLUCOSE
from drivers.sig_glucose_frames import CONTEXT, MEASUREMENT
from gateway.model import ClockPair, Patient, Record
from tests.fhir.records import BLOOD_PRESSURE, CASES, CLOCK, GLUCOMETER, PATIENT, record

LOGICAL = Patient("", "7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10", "logical")
ENTRY = replace(PATIENT, reference="entry")
SUGAR = CASES["glucose"]
ANOTHER = Patient("urn:ietf:rfc:3986", "urn:uuid:2b0b8f0e-3c53-4b8b-8f0c-5c7d5a0c9f31")

MOLAR = "1f 0700 ea070b16081e00 0000 3dc0 11 0000"  # 6.1 mmol/L, 22 November at half past eight
MASS = "1b 0700 ea070b16081e00 0000 6eb0 18 0000"  # 110 mg/dL, plasma, finger
FAILED = "19 0700 ea070b16081e00 0000 0200"  # no concentration, a sensor malfunction
LUNCH = "5f 0700 02 3cd0 02 51 3c00 14 01 0ad0 41f0"  # all that a context can say
BEDTIME = "06 0700 05 32"  # no confirmed code; measured by a professional


def combined(ordinary: Record) -> Iterator[tuple[str, Record]]:
    yield from _versions(ordinary)
    for who, patient in (("logical id", LOGICAL), ("entry", ENTRY)):
        for case, version in (("first", 1), ("amended", 2)):
            found = replace(ordinary, patient=patient, version=version)
            yield f"{who}, {case}", found
            yield f"{who}, {case}, time unknown", replace(found, effective=None)
    for case, patient in (("one", PATIENT), ("another", ANOTHER)):
        user = {"one": 1, "another": 2}[case]
        yield (
            f"slot of {case}",
            replace(ordinary, patient=patient, reading=replace(ordinary.reading, user=user)),
        )
    yield from _nights(ordinary)


def _versions(ordinary: Record) -> Iterator[tuple[str, Record]]:
    amended = replace(ordinary, version=2)
    unstamped = replace(ordinary.reading, taken_at=None, taken_at_raw=bytes(7))
    yield "a stamp shared", replace(ordinary, shares_stamp=True)
    yield "a stamp shared, amended", replace(amended, shares_stamp=True)
    yield "amended, time unknown", replace(amended, effective=None)
    yield "amended, no stamp", replace(amended, reading=unstamped)
    yield "amended, no stamp, time unknown", replace(amended, reading=unstamped, effective=None)
    yield "amended, arrival unknown", replace(amended, issued=None)
    yield "amended, simulated", replace(amended, simulated=True)
    yield (
        "withdrawn, simulated, entry",
        replace(amended, simulated=True, withdrawn=True, patient=ENTRY),
    )
    yield (
        "withdrawn, logical id, time unknown",
        replace(amended, withdrawn=True, patient=LOGICAL, effective=None),
    )
    yield from _taken_back(ordinary)


def _taken_back(ordinary: Record) -> Iterator[tuple[str, Record]]:
    """Versions that say less than the one before."""
    whole = ordinary.reading
    less = replace(whole, values=whole.values[:1], codes=())
    third = replace(ordinary, version=3, former=(whole, less))
    yield "taken back, twice", replace(third, reading=less)
    yield "taken back, and said again", third
    yield "taken back, withdrawn", replace(third, reading=less, withdrawn=True)
    yield (
        "taken back, simulated, logical id",
        replace(third, reading=less, simulated=True, patient=LOGICAL),
    )
    later = replace(less, taken_at=whole.taken_at and whole.taken_at + timedelta(hours=1))
    yield "taken back, by another stamp", replace(third, reading=later)


def _nights(ordinary: Record) -> Iterator[tuple[str, Record]]:
    """The hour that is there twice, of which a meter shows one; the hour that is not there."""
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 -- a meter's naive clock
    never = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 -- a meter's naive clock
    for case, shown, moment in (
        ("the hour twice, first", twice, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("the hour twice, second", twice, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("the hour left out", never, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ):
        stamped = replace(ordinary.reading, taken_at=shown)
        asked = moment + timedelta(hours=2)  # by then the other offset may hold
        pair = ClockPair(CLOCK.session, shown + timedelta(hours=2), asked)
        night = replace(ordinary, reading=stamped, effective=moment, issued=asked, clock=pair)
        yield case, replace(night, shares_stamp=shown == twice)
        yield f"{case}, alone, amended", replace(night, version=2)


def glucose_from_octets() -> Iterator[tuple[str, Record]]:
    """A measurement and the context that came with it, as a meter sends them."""
    for unit, octets in (("molar", MOLAR), ("mass", MASS), ("failed", FAILED)):
        alone = _decoded((MEASUREMENT, octets))
        for case, context in (("everything", LUNCH), ("bedtime", BEDTIME)):
            joined = _decoded((MEASUREMENT, octets), (CONTEXT, context))
            whole = record(GLUCOMETER, joined)
            later = replace(whole, version=2, former=(alone,))
            name = f"glucose {unit}, context {case}"
            yield name, whole
            yield f"{name} later", later
            yield f"{name} taken back", replace(later, reading=alone, former=(joined,))


def found_out() -> Iterator[tuple[str, Record]]:
    """What was sent, and turns out to be no measurement of a person."""
    solution = replace(SUGAR.reading, codes=(Code("sample-type", "control-solution"),))
    step = replace(BLOOD_PRESSURE.reading, flags=("intermediate",))
    for case, sent, reading in (
        ("a control solution", SUGAR, solution),
        ("an intermediate pressure", BLOOD_PRESSURE, step),
    ):
        later = replace(sent, version=2, reading=reading)
        yield f"{case}, found out", replace(later, former=(sent.reading,))
        yield f"{case}, found out, of which nothing is kept", later
        yield f"{case}, withdrawn", replace(later, withdrawn=True)


def _decoded(*frames: tuple[UUID, str]) -> Reading:
    made = [Frame(characteristic, bytes.fromhex(octets)) for characteristic, octets in frames]
    (reading,) = GLUCOSE.decode(made)
    return reading
