"""Our own clock, and the moment in which it is set."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import clock
from gateway.clock import OurClock

WRONG = datetime(2021, 1, 1, tzinfo=UTC)


def test_a_stamp_of_the_moment_in_which_our_clock_is_set_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step comes before the flag, so whoever saw the flag first has seen the right time."""
    flag = tmp_path / "synchronized"
    monkeypatch.setattr(clock, "SYNCHRONISED", flag)

    def wall() -> datetime:
        flag.touch()  # just after it was read
        return WRONG

    ours = OurClock("ntp", "Europe/Copenhagen", wall)
    assert not ours.now().trusted
    assert ours.now().trusted
