"""An outbox of an earlier version is brought up to date with what it holds."""

from pathlib import Path

import pytest

from gateway.outbox import devices
from gateway.outbox.connection import connect
from gateway.outbox.database import Database
from gateway.outbox.migrations import migrations
from gateway.outbox.store import Unusable, open_store
from gateway.outbox.vault import Vault
from tests.outbox.house import ANNA, INFO, NOON, House, cuff
from tests.powercut.life import whole

KEY = bytes(range(32))


class First(Database):
    """The program as it was with the first schema."""

    def _migrate(self, number: int, script: str) -> None:
        if number == 1:
            super()._migrate(number, script)


def test_the_first_schema_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    old = First(connect(path), Vault(KEY))
    with old.transaction():
        old.execute(
            "INSERT INTO devices (id, address, driver, cursor, added_at)"
            " VALUES (1, 'C0:11:22:33:44:52', 'sig_glucose', 41, 0)"
        )
        old.execute("INSERT INTO sessions (id, uuid, device_id, started_at) VALUES (1, 'u', 1, 0)")
        old.execute(
            "INSERT INTO frames (id, device_id, session_id, characteristic, digest, wall, boottime,"
            " boot_id, trusted, state, reason) VALUES (1, 1, 1, 'c', x'00', 0, 0, 'b', 1, 'parked',"
            " 'decode: need 3 octets, got 2')"
        )
    old.close()
    new = Database(connect(path), Vault(KEY))
    assert new.one("PRAGMA user_version") == migrations()[-1][0]
    assert new.epoch == old.epoch
    device = devices.by_id(new, 1)
    assert (device.cursor, device.mark) == (41, None)
    assert new.one("SELECT repeats FROM frames") == 0
    new.close()


def test_a_cursor_and_its_mark_are_kept_and_taken_away_together(tmp_path: Path) -> None:
    db = Database(connect(tmp_path / "outbox.db"), Vault(KEY))
    device = devices.add(db, "C0:11:22:33:44:52", "sig_glucose", ANNA, None, NOON, NOON)
    devices.introduced(db, device, 1, "1A34560000112252", INFO, "none")
    devices.advance(db, device, 41, b"record 41")
    assert (devices.by_id(db, device).cursor, devices.by_id(db, device).mark) == (41, b"record 41")
    assert b"record 41" not in db.one("SELECT mark FROM devices")
    devices.advance(db, device, None, None)
    assert (devices.by_id(db, device).cursor, devices.by_id(db, device).mark) == (None, None)
    db.close()


class Next(Database):
    """The program with one schema more, which adds a column to every table."""

    def _prepare(self) -> None:
        super()._prepare()
        newest = migrations()[-1][0]
        if self.one("PRAGMA user_version") == newest:
            self._migrate(newest + 1, _a_column_more(self))


def _a_column_more(db: Database) -> str:
    tables = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return "".join(f"ALTER TABLE {table} ADD COLUMN later TEXT;\n" for (table,) in tables)


async def test_an_outbox_of_the_next_version_is_worked_with_by_this_one(tmp_path: Path) -> None:
    House(tmp_path).close()
    vault = Vault(bytes.fromhex((tmp_path / "outbox.key").read_text()))
    Next(connect(tmp_path / "outbox.db"), vault).close()
    house = House(tmp_path)
    await whole(house)
    assert set(await house.states()) == {"received"}
    assert await house.rows("PRAGMA user_version") == [(migrations()[-1][0] + 1,)]
    house.close()
    again = Next(connect(tmp_path / "outbox.db"), vault)  # and by the next one again
    assert again.one("SELECT count(*) FROM readings WHERE later IS NULL") > 0
    again.close()


async def test_it_is_salvaged_by_this_one_as_well(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    house.close()
    vault = Vault(bytes.fromhex((tmp_path / "outbox.key").read_text()))
    Next(connect(tmp_path / "outbox.db"), vault).close()
    (tmp_path / "outbox.suspect").touch()
    salvaged = House(tmp_path)
    await salvaged.settle()
    assert len(await salvaged.due()) == 1
    salvaged.close()


def test_one_that_is_two_ahead_is_refused_in_words(tmp_path: Path) -> None:
    open_store(tmp_path, tmp_path / "key").close()
    connection = connect(tmp_path / "outbox.db")
    connection.execute(f"PRAGMA user_version = {migrations()[-1][0] + 2}")
    connection.close()
    with pytest.raises(Unusable, match=r"written by a newer version .* install that version again"):
        open_store(tmp_path, tmp_path / "key")
    assert not list(tmp_path.glob("outbox.db.damaged-*"))
