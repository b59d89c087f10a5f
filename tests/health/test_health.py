"""The status document, computed from real rows; and when it is worth telling again."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.contract import Status
from gateway.health import Health, Pace
from gateway.live import Live
from gateway.outbox import delivery, devices, frames
from gateway.outbox.facts import facts, started
from tests.control.desk import WAIT_S, config
from tests.health.conftest import AT_ONCE
from tests.outbox.house import NOON, House, cuff


def ids(document: Status) -> list[str]:
    return [each.id for each in document.conditions]


async def test_an_empty_home_is_well(health: Health, house: House) -> None:
    document = await health.document()
    assert document.online
    assert document.epoch == house.store.epoch
    assert (document.last_seq, document.oldest_unreceipted, document.devices) == (None, None, ())
    assert document.conditions == ()
    assert document.clock.source == "assumed"


async def test_rows_are_counted_in_the_state_they_are_in(health: Health, house: House) -> None:
    device = await house.meter(slot=1)
    for systolic, slot in ((120, 1), (121, 1), (122, 1), (123, 2)):
        await house.session(device, [cuff(systolic, user=slot)])
    await house.settle()
    first, second, _ = await house.due()
    acks = [delivery.Ack(each.row, each.version, 0) for each in (first, second)]
    await house.store(
        delivery.published, acks, delivery.Resend(timedelta(1), timedelta(1)), True, house.now()
    )
    await house.receive(first)
    await house.session(device, [cuff(124, user=1)])
    document = await health.document()
    rows = document.rows
    assert (rows.captured, rows.pending, rows.published) == (1, 1, 1)
    assert (rows.received, rows.held, rows.parked) == (1, 1, 0)
    assert document.last_seq == 3
    assert document.oldest_unreceipted is not None
    assert document.oldest_unreceipted.seq == 2


async def test_the_age_of_what_nobody_confirmed_grows(health: Health, house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    house.now.move(minutes=5)
    oldest = (await health.document()).oldest_unreceipted
    assert oldest is not None
    assert oldest.age_s == pytest.approx(300)


async def test_an_age_is_never_negative_though_our_clock_was_set_back(
    health: Health, house: House
) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    house.now.move(days=-3)
    oldest = (await health.document()).oldest_unreceipted
    assert oldest is not None
    assert oldest.age_s == 0


async def test_frames_that_wait_for_our_clock_are_told_apart(house: House) -> None:
    device = await house.meter()
    await house.session(device, [])
    stamp = house.stamp(trusted=False)
    await house.store(frames.keep, device, 2, [(cuff(), stamp), (cuff(130), stamp)])
    await house.store(frames.keep, device, 2, [(cuff(140), house.stamp())])
    known = await house.store(facts)
    assert (known.captured, known.waiting_for_clock) == (3, 2)


async def test_a_meter_says_when_it_last_spoke_and_how_it_is(health: Health, house: House) -> None:
    device = await house.meter()
    await house.store(devices.set_battery, device, 12)
    house.now.move(hours=2)
    await house.session(device, [cuff(at=house.now())])
    await house.settle()
    document = await health.document()
    (meter,) = document.devices
    assert (meter.device, meter.driver) == ("44:51", "sig_blood_pressure")
    assert (meter.bond, meter.battery) == ("bonded", 12)
    assert (meter.last_session, meter.last_reading) == (house.now(), house.now())
    assert ids(document) == ["battery-low/44:51"]


async def test_a_meter_without_the_bond_it_needs_is_told(health: Health, house: House) -> None:
    await house.store(
        devices.add, "C0:11:22:33:44:51", "sig_blood_pressure", None, None, NOON, NOON
    )
    document = await health.document()
    assert document.devices[0].bond == "missing"
    assert ids(document) == ["meter-needs-pairing/44:51"]


async def test_a_bond_that_does_not_fit_any_more_is_not_called_one(
    health: Health, house: House, live: Live
) -> None:
    live.radio.bonds_lost.add(await house.meter())
    document = await health.document()
    assert document.devices[0].bond == "missing"
    assert ids(document) == ["meter-bond-lost/44:51"]


async def test_starts_are_counted_for_as_long_as_the_outbox_lives(
    health: Health, house: House
) -> None:
    for _ in range(3):
        await house.store(started)
    assert (await health.document()).counters["starts"] == 3


async def test_no_person_value_or_whole_address_is_in_the_document(
    health: Health, house: House
) -> None:
    await house.session(await house.meter(), [cuff(177)])
    await house.settle()
    measured = {"epoch", "outbox", "radio"}  # random, or never the same: any digits may be in them
    text = (await health.document()).model_dump_json(exclude=measured)
    for secret in ("177", "C0:11:22", "11111111-2222", "S-1", "Maker"):
        assert secret not in text


async def test_a_line_that_fell_is_down_since_then_and_up_when_it_is_back(
    health: Health, house: House, live: Live
) -> None:
    health._started -= 3600.0  # the process is an hour old
    assert ids(await health.document()) == []
    live.uplink.connected_at = None
    live.uplink.last_error = "no route to the broker"
    (down,) = (await health.document()).conditions
    house.now.move(hours=5)
    assert (await health.document()).conditions == (down,)
    live.uplink.connected_at = house.now()
    assert ids(await health.document()) == []


async def test_errors_of_the_scanner_count_until_something_is_heard_again(
    health: Health, live: Live
) -> None:
    health._started -= 3600.0
    counters = live.radio.counters
    await health.document()
    counters.heard_at = time.monotonic() - 600
    counters.scan_errors += 1
    document = await health.document()
    assert ids(document) == ["radio-deaf"]
    assert not document.radio.scanning
    counters.heard += 1
    counters.heard_at = time.monotonic()
    assert ids(await health.document()) == []
    counters.heard_at = time.monotonic() - 600
    assert ids(await health.document()) == []


async def test_counted_events_are_told(health: Health, house: House, live: Live) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message, sha256="0" * 64)
    live.uplink.odd_receipts = 1
    counters = (await health.document()).counters
    assert counters["receipts mismatch"] == 1
    assert counters["odd receipts"] == 1


async def test_a_new_condition_is_worth_telling(health: Health, house: House) -> None:
    told = await health.document()
    device = await house.meter(slot=1)
    await house.session(device, [cuff(user=2)])
    await house.settle()
    async with asyncio.timeout(WAIT_S):
        document = await health.due(told)
    assert ids(document) == ["held-rows"]


async def test_a_condition_that_ended_is_worth_telling(health: Health, live: Live) -> None:
    live.radio.scanning = False
    health._started -= 3600.0
    told = await health.document()
    assert ids(told) == ["radio-deaf"]
    live.radio.scanning = True
    async with asyncio.timeout(WAIT_S):
        assert ids(await health.due(told)) == []


async def test_what_is_no_condition_waits_for_the_hour(health: Health, house: House) -> None:
    told = await health.document()
    await house.session(await house.meter(), [cuff()])
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(health.due(told))
        await _looks(health)
        assert not waiting.done()
        house.now.move(hours=1)
        async with asyncio.timeout(WAIT_S):
            document = await waiting
    assert document.at == NOON + timedelta(hours=1)


async def test_a_change_waits_until_a_minute_has_passed_since_the_last_telling(
    house: House, live: Live, tmp_path: Path
) -> None:
    patient = Health(house.store, house.ours, config(tmp_path), live, Pace(0.001, 3600.0))
    told = await patient.document()
    await house.session(await house.meter(slot=1), [cuff(user=2)])
    await house.settle()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(patient.due(told))
        await _looks(patient)
        assert not waiting.done()
        waiting.cancel()


async def _looks(health: Health) -> None:
    """Long enough for a task beside us to look at health several times."""
    for _ in range(20):
        await health.document()
        await asyncio.sleep(0.001)


async def test_the_hour_turns_once_in_sixty_minutes_at_a_minute_of_the_gateways_own(
    health: Health,
) -> None:
    start = datetime(2026, 11, 25, tzinfo=UTC)
    hours = [health._hour(start + timedelta(minutes=minute)) for minute in range(1440)]
    turns = [minute for minute in range(1, 1440) if hours[minute] != hours[minute - 1]]
    assert len(turns) in (23, 24)
    assert len({minute % 60 for minute in turns}) == 1


async def test_the_document_is_one_of_the_contract(health: Health, house: House) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    document = await health.document()
    assert Status.model_validate_json(document.model_dump_json()) == document
    assert json.loads(document.model_dump_json())["online"] is True


async def test_the_last_puback_and_receipt_are_known_after_a_restart(
    house: House, tmp_path: Path
) -> None:
    await house.session(await house.meter(), [cuff(), cuff(130, None)])
    await house.settle()
    first, second = await house.publish()
    house.now.move(minutes=3)
    await house.receive(first)
    started = Health(house.store, house.ours, config(tmp_path), Live(house.now()), AT_ONCE)
    uplink = (await started.document()).uplink
    assert (uplink.last_puback_at, uplink.last_receipt_at) == (NOON, house.now())
    assert second.seq == 2


async def test_what_this_process_saw_later_than_the_rows_counts(
    health: Health, house: House, live: Live
) -> None:
    assert (await health.document()).uplink.last_puback_at is None
    live.uplink.last_puback_at = NOON
    live.uplink.last_receipt_at = NOON + timedelta(minutes=1)
    uplink = (await health.document()).uplink
    assert (uplink.last_puback_at, uplink.last_receipt_at) == (NOON, NOON + timedelta(minutes=1))


async def test_the_last_commit_ages_and_a_new_one_is_seen(health: Health, house: House) -> None:
    await house.meter()
    house.store._db.committed_at -= 3600.0
    old = (await health.document()).outbox.last_commit_ago_s
    assert old is not None
    assert old >= 3600
    await house.session(1, [cuff()])
    new = (await health.document()).outbox.last_commit_ago_s
    assert new is not None
    assert new < 3600


async def test_every_trouble_of_a_home_is_told_from_the_others(
    house: House, live: Live, tmp_path: Path
) -> None:
    """Nobody measured, radio deaf, line down, backend silent, outbox full: by facts, one by one."""
    health = Health(house.store, house.ours, config(tmp_path), live, AT_ONCE)
    health._started -= 3600.0
    await house.meter()
    assert ids(await health.document()) == []  # nobody measured

    live.radio.scanning = False
    assert ids(await health.document()) == ["radio-deaf"]
    live.radio.scanning = True

    await house.session(1, [cuff()])
    await house.settle()
    live.uplink.connected_at = None
    assert ids(await health.document()) == ["line-down"]
    live.uplink.connected_at = house.now()

    for _ in range(2):
        assert ids(await health.document()) == []
        (message,) = await house.publish()
        house.now.move(hours=1)
    assert ids(await health.document()) == ["backend-silent"]
    await house.receive(message)
    assert ids(await health.document()) == []

    await house.store(lambda db: db.bound(db.used_octets()))
    assert ids(await health.document()) == ["outbox-full"]
