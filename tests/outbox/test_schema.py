"""An outbox of an earlier version is brought up to date with what it holds."""

from pathlib import Path

from gateway.outbox import devices
from gateway.outbox.database import Database, connect, migrations
from gateway.outbox.vault import Vault
from tests.outbox.house import ANNA, INFO, NOON

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
