"""Whatever a meter's clock shows and stamps: a moment that every zone can write, or none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Reading
from drivers.sig_blood_pressure import DRIVER
from gateway import device_clock, identify
from gateway.fhir import times
from gateway.model import Segment
from tests.clock.home import HOUR, SECOND, Home, Meter, near, stamped

ZONES = ("Europe/Copenhagen", "America/Los_Angeles", "Pacific/Kiritimati")
LAST = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a device's clock is naive

stamps = st.one_of(
    st.datetimes(datetime(1582, 1, 1), LAST),  # noqa: DTZ001 - a device's clock is naive
    st.sampled_from([LAST, LAST - HOUR, datetime(1582, 1, 1)]),  # noqa: DTZ001 - the same
)
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - made aware below
    datetime(2060, 1, 1),  # noqa: DTZ001 - made aware below
    timezones=st.just(UTC),
)
FAR = timedelta(days=3_000_000)
wild = st.builds(  # as no clock can leave them
    Segment,
    st.just(0),
    st.timedeltas(-FAR, FAR),
    st.none() | stamps,
    st.none() | stamps,
    st.none() | stamps,
)


@st.composite
def lived(draw: st.DrawFn, zone: ZoneInfo | None) -> list[Segment]:
    """What is known of a clock that was looked at and set, by a clock of ours that may be wrong."""
    known: list[Segment] = []
    for ours in draw(st.lists(moments, max_size=4)):
        clock = draw(stamps)
        if draw(st.booleans()):
            shown = device_clock.shown(known, clock, ours, zone)
            changed = device_clock.read(known, shown, ours)
        else:
            changed = device_clock.set_to(known, device_clock.shown((), clock, ours, zone), ours)
        kept = [each for each in known if each.id not in {other.id for other in changed}]
        known = [replace(each, id=n) for n, each in enumerate([*kept, *changed], start=1)]
    return known


@given(data=st.data())
def test_any_stamp_on_any_clock_has_a_moment_or_none(data: st.DataObject) -> None:
    zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    driver = replace(DRIVER, self_switching=data.draw(st.booleans()))
    switching = zone if driver.self_switching else None
    segments = data.draw(st.one_of(st.lists(wild, max_size=4), lived(switching)))
    when = identify.timing(
        driver,
        Reading(taken_at=data.draw(stamps)),
        segments,
        arrived := data.draw(st.none() | moments),
        zone,
        readable=data.draw(st.booleans()),
    )
    for moment in (when.effective, when.said):
        if moment is not None:
            assert all(times.second(moment, each) for each in ZONES)
    assert identify.set_right(driver, when, zone) in (True, False)
    assert identify.live(when, arrived) in (True, False)


async def test_a_stamp_at_the_end_of_the_calendar_stops_nothing_and_is_no_time(home: Home) -> None:
    home.synchronise()
    slow = Meter(ahead=-HOUR)
    await home.visit(slow, [stamped(LAST), slow.measure(home.box.at)])
    await home.settle()
    first, second = await home.times()
    assert first is None
    assert near([second], [home.box.at - SECOND])
    assert len(await home.due()) == 2


async def test_a_clock_at_the_end_of_the_calendar_stops_nothing(home: Home) -> None:
    home.synchronise()
    meter = Meter(stuck=LAST)
    for _ in range(2):
        meter.measure(home.box.at)
        await home.visit(meter)
        await home.settle()
        home.box.move(days=1)
    assert await home.times() == [None, None]
    assert len(await home.due()) == 2
