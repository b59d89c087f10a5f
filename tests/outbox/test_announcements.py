"""Devices are told once, and again when they change: until a receipt, like readings."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.registry import all_drivers
from gateway import replay
from gateway.announce import Announce
from gateway.clock import OurClock
from gateway.model import GatewayInfo, Message
from gateway.outbox import delivery, devices, receipts
from gateway.outbox.delivery import Ack
from gateway.outbox.facts import facts
from gateway.outbox.receipts import ReceiptNote
from gateway.outbox.rotation import reseal
from gateway.terms import Terms
from tests.outbox.house import INFO, RESEND, House, cuff


class Teller:
    """The announcing part of one house, as after a start with this *version* of the software."""

    def __init__(self, house: House, version: str = "0.1.0") -> None:
        self.house = house
        self.ours = house.ours
        self._info = GatewayInfo("gw-7f3ak2m9qd", version, "none")

    async def look(self) -> list[Message]:
        """What is due afterwards."""
        terms = Terms(self._info, self.ours.zone, simulated=True, gate=False)
        await Announce(self.house.store, all_drivers(), self.ours, terms).look()
        return await self.house.due()

    async def told(self) -> list[Message]:
        """The same, and all of it is published and received."""
        messages = await self.look()
        for message in messages:
            assert await self.house.receive(message) == "received"
        return messages


@pytest.fixture
def teller(house: House) -> Teller:
    return Teller(house)


def resource(message: Message) -> dict[str, Any]:
    (entry,) = json.loads(message.body)["entry"]
    found: dict[str, Any] = entry["resource"]
    assert entry["request"] == {
        "method": "PUT",
        "url": f"Device?identifier=urn:ietf:rfc:3986%7C{found['identifier'][0]['value']}",
    }
    return found


def software(message: Message) -> str:
    return str(resource(message)["version"][-1]["value"])


async def test_the_gateway_and_each_known_meter_are_told_once(house: House, teller: Teller) -> None:
    await house.meter()
    await house.store(
        devices.add, "C0:11:22:33:44:99", "sig_glucose", None, None, house.now(), house.now()
    )  # not met yet
    gateway, meter = await teller.told()
    assert resource(gateway)["serialNumber"] == "gw-7f3ak2m9qd"
    assert resource(meter)["modelNumber"] == INFO.model
    assert {gateway.about, meter.about} == {"device"}
    assert resource(gateway)["identifier"][0]["value"] == f"urn:uuid:{gateway.id}"
    house.now.move(days=1)
    assert await teller.look() == []


async def test_new_software_is_told_with_a_higher_version(house: House, teller: Teller) -> None:
    (before,) = await teller.told()
    (after,) = await Teller(house, "0.2.0").told()  # within the same second
    assert (after.id, after.version) == (before.id, before.version + 1)
    assert (software(before), software(after)) == ("0.1.0", "0.2.0")
    assert after.seq == before.seq + 1


async def test_what_a_meter_says_anew_is_told(house: House, teller: Teller) -> None:
    meter = await house.meter()
    await teller.told()
    house.now.move(hours=1)
    anew = replace(INFO, firmware="2.0")
    await house.store(devices.told_anew, meter, anew, house.now())
    (message,) = await teller.told()
    assert message.taken_at == house.now()
    assert "2.0" in str(resource(message)["version"])


async def test_another_gateways_later_word_is_higher(house: House, tmp_path: Path) -> None:
    await house.meter()
    *_, ours = await Teller(house).told()
    house.now.move(hours=1)
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other", gateway="gw-aaaaaaaaaa", now=house.now)
    await other.meter()
    *_, theirs = await Teller(other).told()
    other.close()
    assert (theirs.id, theirs.version) == (ours.id, ours.version + 3600)


async def test_where_our_time_comes_from_is_no_change(house: House, teller: Teller) -> None:
    await teller.told()
    teller.ours = OurClock("ntp", "Europe/Copenhagen", house.now)
    assert await teller.look() == []


async def test_until_a_receipt_it_is_sent_again(house: House, teller: Teller) -> None:
    (message,) = await teller.look()
    acks = [Ack(message.row, message.version, 0)]
    await house.store(delivery.published, acks, RESEND, True, house.now())
    assert await house.due() == []
    house.now.move(minutes=10)
    (again,) = await house.due()
    assert again == replace(message, attempt=2)
    assert await house.receive(message, sha256="0" * 64) == "mismatch"
    assert await house.receive(message) == "received"
    assert await house.receive(message) == "stale"
    house.now.move(days=1)
    assert await house.due() == []


async def test_every_required_receiver_must_hold_it(house: House, teller: Teller) -> None:
    (message,) = await teller.look()

    async def receive(by: str) -> str:
        note = ReceiptNote(str(message.id), message.epoch, message.sha256, by, "stored", "")
        return (await house.store(receipts.take, [note], ("a", "b"), house.now()))[0]

    assert [await receive(by) for by in ("c", "a", "a", "b")] == [
        "unknown",
        "waiting",
        "waiting",
        "received",
    ]


async def test_without_receipts_the_brokers_word_is_the_end(house: House, teller: Teller) -> None:
    (message,) = await teller.look()
    acks = [Ack(message.row, message.version, 0)]
    await house.store(delivery.published, acks, RESEND, False, house.now())
    house.now.move(days=1)
    assert await house.due() == []


async def test_only_the_newest_is_sent(house: House, teller: Teller) -> None:
    (before,) = await teller.look()
    (after,) = await Teller(house, "0.2.0").look()
    assert (software(after), after.row) == ("0.2.0", before.row - 1)
    late = [Ack(before.row, before.version, 0)]
    await house.store(delivery.published, late, RESEND, True, house.now())
    assert await house.due() == [after]
    assert await house.receive(before) == "mismatch"


async def test_a_refused_one_is_counted_and_waits_for_the_next_change(
    house: House, teller: Teller
) -> None:
    (message,) = await teller.look()
    assert await house.receive(message, "rejected") == "rejected"
    assert (await house.store(facts)).counters["devices refused"] == 1
    house.now.move(days=1)
    assert await house.due() == []
    assert len(await Teller(house, "0.2.0").look()) == 1


async def test_what_waits_is_the_oldest_without_a_receipt(house: House, teller: Teller) -> None:
    (message,) = await teller.look()
    oldest = (await house.store(facts)).oldest
    assert oldest is not None
    assert oldest.seq == message.seq


async def test_a_replay_brings_it_again(house: House, teller: Teller) -> None:
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    for reading in await house.publish():
        await house.receive(reading)
    told = await teller.told()
    result = await replay.by_number(house.store, 1, None, house.now())
    assert (result.again, result.waiting, result.void) == (3, 0, ())
    again = await house.due()
    assert [each.seq for each in again] == [1, 2, 3]
    assert again[1:] == told
    result = await replay.by_time(house.store, house.now() - timedelta(hours=1), house.now())
    assert (result.again, result.waiting) == (0, 3)


async def test_of_a_forgotten_meter_nothing_is_said(house: House, teller: Teller) -> None:
    meter = await house.meter()
    await teller.look()
    await house.store(devices.forget, meter, house.now())
    assert [resource(each)["modelNumber"] for each in await house.due()] == ["hjemgate"]


async def test_it_is_sealed_and_follows_a_new_key(house: House, teller: Teller) -> None:
    await house.meter()
    messages = await teller.look()
    ((body,),) = await house.rows("SELECT body FROM announcements WHERE device_id IS NOT NULL")
    assert isinstance(body, bytes)
    assert INFO.serial.encode() not in body
    await house.store(reseal)
    assert await house.due() == messages
