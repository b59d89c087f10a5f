"""What a meter says of itself, stored: by earlier and later versions, and read anew."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drivers.api import Certification, DeviceInfo, PnpId, Udi
from gateway.outbox import devices
from gateway.outbox.connection import connect
from gateway.outbox.database import Database
from gateway.outbox.device_info import freeze, thaw
from gateway.outbox.devices import Known
from gateway.outbox.vault import Vault
from tests.outbox.house import ANNA, INFO, NOON

EVERYTHING = replace(
    INFO,
    certification=Certification("6.0", (0x8007, 7), regulated=True),
    udi=Udi("(01)00844588003288", "00844588003288", "2.51", "2.16.840.1.113883.3.24"),
    pnp_id=PnpId(2, 0x1234, 0x5678, 0x103),
    clock="settable",
    temperature_type="finger",
)


@pytest.mark.parametrize("info", [DeviceInfo(), INFO, EVERYTHING], ids=["none", "some", "all"])
def test_what_a_meter_says_is_stored_whole(info: DeviceInfo) -> None:
    assert thaw(freeze(info)) == info


def test_what_an_earlier_version_stored_is_read() -> None:
    earlier = {
        **dict.fromkeys(("manufacturer", "model", "serial"), "x"),
        **dict.fromkeys(("hardware", "firmware", "software"), ""),
        "system_id": "1A34560000112251",
    }
    info = thaw(json.dumps(earlier).encode())
    assert info == DeviceInfo("x", "x", "x", system_id=bytes.fromhex("1A34560000112251"))


def test_what_a_later_version_stored_is_read_but_for_what_is_new_in_it() -> None:
    later = json.loads(freeze(EVERYTHING))
    for fields in (later, later["certification"], later["udi"]):
        fields["colour"] = "white"
    assert thaw(json.dumps(later).encode()) == EVERYTHING


@pytest.fixture
def db(tmp_path: Path) -> Database:
    db = Database(connect(tmp_path / "outbox.db"), Vault(bytes(range(32))))
    device = devices.add(db, "C0:11:22:33:44:52", "sig_glucose", ANNA, None, NOON, NOON)
    devices.introduced(db, device, 1, "1A34560000112252", EVERYTHING, "none", NOON)
    return db


def test_news_are_stored_and_the_identity_stays(db: Database) -> None:
    later = NOON + timedelta(days=31)
    news = DeviceInfo(firmware="2.0", system_id=bytes(range(8)))
    assert devices.told_anew(db, 1, news, later)
    device = devices.by_id(db, 1)
    assert device.info == replace(EVERYTHING, firmware="2.0")
    assert (device.identity, device.info_read_at) == ("1A34560000112252", later)


@pytest.mark.parametrize("told", [DeviceInfo(), EVERYTHING], ids=["nothing", "the same"])
def test_without_news_nothing_but_the_time_of_reading_is_written(
    db: Database, told: DeviceInfo
) -> None:
    before = db.one("SELECT info FROM devices")
    assert not devices.told_anew(db, 1, told, NOON + timedelta(days=31))
    assert db.one("SELECT info FROM devices") == before
    assert devices.by_id(db, 1).info_read_at == NOON + timedelta(days=31)


def test_a_meter_that_was_forgotten_has_no_news(db: Database) -> None:
    with pytest.raises(Known):
        devices.told_anew(db, 2, EVERYTHING, NOON)
