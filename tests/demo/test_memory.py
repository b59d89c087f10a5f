"""What a meter has in memory when the clocks change."""

from datetime import UTC, datetime, timedelta

from simulator.meters.meter import Clock

# Summer time ended in Copenhagen on 2026-10-25 at 01:00 UTC.
NOW = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)


def test_a_record_from_before_the_change_was_stamped_by_the_clock_of_now() -> None:
    clock = Clock(timedelta(minutes=-7))
    for hours in (1, 24):
        before = clock.showed(NOW - timedelta(hours=hours), NOW)
        assert clock.shows(NOW) - before == timedelta(hours=hours)
