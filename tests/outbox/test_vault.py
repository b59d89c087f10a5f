"""What lies on the disk tells nothing, and no key is ever made over an existing outbox."""

import sqlite3
from pathlib import Path

import pytest

from gateway.outbox.connection import connect
from gateway.outbox.database import Database
from gateway.outbox.store import Unusable, open_store
from gateway.outbox.vault import KeyRefused, Vault
from tests.outbox.house import ANNA, INFO, House, cuff


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox.db*"))


async def test_neither_values_nor_persons_stand_in_the_file_or_its_log(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.session(await house.meter(), [cuff()])
    await house.settle()
    (message,) = await house.due()
    found = files(tmp_path)
    house.close()
    uuid = ANNA.value.removeprefix("urn:uuid:").encode()
    assert uuid in message.body
    for secret in (uuid, cuff().octets, b"systolic", b"Systolic", INFO.serial.encode() + b'"'):
        assert secret not in found


def test_a_missing_key_makes_no_new_one_beside_an_outbox(tmp_path: Path) -> None:
    open_store(tmp_path, tmp_path / "key").close()
    (tmp_path / "key").unlink()
    with pytest.raises(Unusable, match="restore it"):
        open_store(tmp_path, tmp_path / "key")
    assert not (tmp_path / "key").exists()


def test_a_wrong_key_is_refused_and_named(tmp_path: Path) -> None:
    open_store(tmp_path, tmp_path / "key").close()
    (tmp_path / "key").write_text("00" * 32)
    with pytest.raises(Unusable, match="key: not the key to this outbox"):
        open_store(tmp_path, tmp_path / "key")


@pytest.mark.parametrize("text", ["", "0011", "not hex at all", "0" * 66])
def test_something_else_than_a_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(Unusable, match="64 hexadecimal digits"):
        open_store(tmp_path, tmp_path / "key")


def test_the_key_is_ours_alone(tmp_path: Path) -> None:
    open_store(tmp_path / "state", tmp_path / "key").close()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_sealed_value_opens_nowhere_else() -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal("frames", 1, "octets", b"121/79")
    assert vault.open("frames", 1, "octets", sealed) == b"121/79"
    for place in (("frames", 2, "octets"), ("frames", 1, "body"), ("bodies", 1, "octets")):
        with pytest.raises(KeyRefused):
            vault.open(*place, sealed)


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    database = Database(connect(tmp_path / "o.db"), Vault(bytes(32)))
    assert database.one("PRAGMA journal_mode") == "wal"
    with database.transaction(durable=False):
        assert database.one("PRAGMA synchronous") == 1
    assert database.one("PRAGMA synchronous") == 2  # FULL
    database.close()


def test_a_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    database = Database(connect(tmp_path / "o.db"), Vault(bytes(32)))
    with pytest.raises(sqlite3.IntegrityError):
        _count_and_fail(database)
    assert database.one("SELECT count(*) FROM counters") == 0
    database.close()


def _count_and_fail(database: Database) -> None:
    with database.transaction():
        database.count("something")
        database.execute("INSERT INTO meta VALUES ('epoch', 'again')")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match="file/state: the outbox cannot be written"):
        open_store(tmp_path / "file" / "state", tmp_path / "key")
