"""What needs somebody, and what does not: judged from facts alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.conditions import DEAF, SETTLING, SILENT, Seen, conditions
from gateway.config import Config
from gateway.outbox.aside import DROPPED
from gateway.outbox.facts import DeviceFacts, Facts
from tests.control.desk import config
from tests.outbox.house import NOON

MINUTE = timedelta(minutes=1)

WELL = Seen(
    now=NOON,
    up_for=timedelta(hours=3),
    clock_trusted=True,
    down_since=None,
    line_error=None,
    scanning=True,
    unheard_for=timedelta(seconds=2),
    radio_errors=False,
)
QUIET = Facts(
    epoch="e1",
    bytes=1 << 20,
    captured=0,
    waiting_for_clock=0,
    pending=0,
    published=0,
    received=12,
    held_readings=0,
    held_frames=0,
    parked_readings=0,
    parked_frames=0,
    unheard=0,
    unanswered=0,
    last_seq=12,
    oldest=None,
    last_receipt=NOON - MINUTE,
)
CUFF = DeviceFacts(
    id=1,
    address="C0:11:22:33:44:51",
    driver="sig_blood_pressure",
    introduced=True,
    bond="just-works",
    battery=80,
    cursor=None,
    added_at=NOON - timedelta(days=30),
    last_session=NOON - timedelta(days=20),
    last_outcome="complete",
    last_reading=NOON - timedelta(days=20),
)


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    return config(tmp_path)


def ids(facts: Facts, seen: Seen, settings: Config) -> list[str]:
    return [each.id for each in conditions(facts, seen, settings)]


def test_a_home_in_which_nobody_measured_needs_nobody(settings: Config) -> None:
    """The meter is silent for weeks, the radio hears the neighbours, the line stands."""
    assert ids(replace(QUIET, devices=(CUFF,)), WELL, settings) == []


def test_an_adapter_that_gives_errors_is_deaf(settings: Config) -> None:
    deaf = replace(WELL, radio_errors=True, unheard_for=DEAF + MINUTE)
    assert ids(QUIET, deaf, settings) == ["radio-deaf"]


def test_an_adapter_that_gave_an_error_and_hears_again_is_not_deaf(settings: Config) -> None:
    assert ids(QUIET, replace(WELL, radio_errors=True), settings) == []


def test_a_scanner_that_never_started_is_deaf(settings: Config) -> None:
    assert ids(QUIET, replace(WELL, scanning=False), settings) == ["radio-deaf"]


def test_silence_alone_is_no_deafness_but_not_for_ever(settings: Config) -> None:
    assert ids(QUIET, replace(WELL, unheard_for=SILENT), settings) == []
    assert ids(QUIET, replace(WELL, unheard_for=SILENT + MINUTE), settings) == ["radio-silent"]


def test_a_line_that_is_down_says_since_when_and_why(settings: Config) -> None:
    down = replace(WELL, down_since=NOON - MINUTE, line_error="the broker refused: bad certificate")
    (condition,) = conditions(QUIET, down, settings)
    assert condition.id == "line-down"
    assert "since 2026-11-24 11:59" in condition.text
    assert "bad certificate" in condition.text


def test_while_the_line_is_down_nothing_is_said_of_the_other_end(settings: Config) -> None:
    down = replace(WELL, down_since=NOON)
    assert ids(replace(QUIET, unanswered=3, unheard=3), down, settings) == ["line-down"]


def test_in_its_first_moments_a_gateway_is_not_called_ill(settings: Config) -> None:
    young = replace(WELL, up_for=SETTLING, down_since=NOON, scanning=False)
    assert ids(QUIET, young, settings) == []


def test_readings_nobody_confirms_are_the_other_ends_silence(settings: Config) -> None:
    (condition,) = conditions(replace(QUIET, unanswered=3), WELL, settings)
    assert condition.id == "backend-silent"
    assert "3 of them" in condition.text
    assert "the last came 2026-11-24 11:59" in condition.text


def test_a_topic_nobody_listens_to_is_the_other_ends_silence(settings: Config) -> None:
    facts = replace(QUIET, unheard=1, last_receipt=None)
    (condition,) = conditions(facts, WELL, settings)
    assert condition.id == "backend-silent"
    assert "there never was one" in condition.text


def test_where_nobody_confirms_by_agreement_no_confirmation_is_missed(settings: Config) -> None:
    broker = settings.broker.model_copy(update={"receipts": False})
    agreed = settings.model_copy(update={"broker": broker})
    assert ids(replace(QUIET, unanswered=3), WELL, agreed) == []


def test_a_clock_that_is_not_set_says_what_waits_for_it(settings: Config) -> None:
    facts = replace(QUIET, captured=4, waiting_for_clock=4)
    (condition,) = conditions(facts, replace(WELL, clock_trusted=False), settings)
    assert condition.id == "clock-untrusted"
    assert "4 frames wait" in condition.text


def test_each_meter_that_needs_somebody_is_named_without_its_whole_address(
    settings: Config,
) -> None:
    unknown = replace(CUFF, introduced=False, bond="none yet", battery=None)
    empty = replace(CUFF, id=2, address="C0:11:22:33:44:52", driver="sig_glucose", battery=9)
    found = conditions(replace(QUIET, devices=(unknown, empty)), WELL, settings)
    assert [each.id for each in found] == ["meter-needs-pairing/44:51", "battery-low/44:52"]
    assert not any("C0:11" in each.text for each in found)


def test_rows_that_wait_for_a_human_name_the_command(settings: Config) -> None:
    facts = replace(QUIET, held_readings=2, held_frames=1, parked_readings=1, parked_frames=1)
    parked, held = conditions(facts, WELL, settings)
    assert (parked.id, held.id) == ("parked-rows", "held-rows")
    assert parked.text.startswith("2 ")
    assert "hjemgate parked" in parked.text
    assert held.text.startswith("3 ")
    assert "hjemgate held" in held.text


def test_frames_that_are_dropped_are_told_of_while_a_meter_is_at_its_cap(settings: Config) -> None:
    facts = replace(QUIET, overflowing=1, counters={DROPPED: 7}, parked_frames=1000)
    dropped, _ = conditions(facts, WELL, settings)
    assert dropped.id == "parked-frames-dropped"
    assert "7 so far" in dropped.text
    assert "hjemgate parked" in dropped.text
    discarded = replace(facts, overflowing=0, parked_frames=0)
    assert ids(discarded, WELL, settings) == []
    assert ids(replace(facts, counters={}), WELL, settings) == ["parked-rows"]


def test_an_outbox_above_half_its_quota_is_told_early(settings: Config) -> None:
    half = (settings.outbox.quota_mib << 20) // 2
    assert ids(replace(QUIET, bytes=half), WELL, settings) == []
    assert ids(replace(QUIET, bytes=half + 1), WELL, settings) == ["outbox-half-full"]


def test_what_is_full_is_told_apart(settings: Config) -> None:
    most = settings.outbox.quota_mib << 20
    assert ids(replace(QUIET, bytes=most, full="quota"), WELL, settings) == ["outbox-full"]
    assert ids(replace(QUIET, full="disk"), WELL, settings) == ["disk-full"]


def test_an_outbox_that_was_salvaged_is_told_of_for_a_week(settings: Config) -> None:
    facts = replace(QUIET, salvaged_at=NOON - timedelta(days=6))
    assert ids(facts, WELL, settings) == ["outbox-salvaged"]
    facts = replace(QUIET, salvaged_at=NOON - timedelta(days=7))
    assert ids(facts, WELL, settings) == []


def test_every_condition_fits_the_contract_at_its_longest(settings: Config) -> None:
    worst = Seen(
        now=NOON,
        up_for=timedelta(days=9999),
        clock_trusted=False,
        down_since=NOON,
        line_error="x" * 10_000,
        scanning=False,
        unheard_for=timedelta(days=9999),
        radio_errors=True,
    )
    many = 10**9
    facts = replace(
        QUIET,
        bytes=many << 20,
        salvaged_at=NOON,
        waiting_for_clock=many,
        held_readings=many,
        parked_readings=many,
        overflowing=many,
        counters={DROPPED: many},
        devices=(replace(CUFF, introduced=False, driver="x" * 64),),
    )
    assert len(conditions(facts, worst, settings)) == 9
