"""A new key: everything is sealed with it, and a death at any moment costs nothing."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.outbox import keys, rotation
from gateway.outbox.connection import connect
from gateway.outbox.database import Database
from gateway.outbox.opening import Unusable, exchange_key
from gateway.outbox.rotation import SEALED
from gateway.outbox.store import open_store
from gateway.outbox.vault import Vault, key_id
from tests.outbox.house import NOON, House, context, cuff, glucose

Plain = list[tuple[str, int, str, bytes]]


class Died(BaseException):
    """As SIGKILL would have it."""


class Mortal(Database):
    """A program that dies before its n-th commit."""

    commits_left = 0

    @contextmanager
    def transaction(self, *, durable: bool = True, relieving: bool = False) -> Iterator[None]:
        if not self.commits_left:
            raise Died
        self.commits_left -= 1
        with super().transaction(durable=durable, relieving=relieving):
            yield


async def furnish(folder: Path) -> None:
    house = House(folder)
    device = await house.meter()
    meter = await house.meter("sig_glucose", address="C0:11:22:33:44:52")
    await house.session(device, [cuff(100 + n, None) for n in range(5)])
    await house.session(meter, [glucose(1), context(1)])
    await house.settle()
    house.close()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    asyncio.run(furnish(folder))
    return folder


@pytest.fixture
def folder(furnished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "state"))


def key_of(folder: Path) -> bytes:
    return bytes.fromhex((folder / "outbox.key").read_text())


def opened(folder: Path, *known: bytes) -> Plain:
    """Everything that is sealed, in plain octets, by these keys alone."""
    db = Database(connect(folder / "outbox.db"), Vault(*known))
    found = []
    for table, columns in SEALED.items():
        sql = f"SELECT rowid, {', '.join(columns)} FROM {table}"  # noqa: S608 - names of our own
        for row, *values in db.execute(sql):
            for column, sealed in zip(columns, values, strict=True):
                if sealed is not None:
                    found.append((table, row, column, db.open(table, row, column, sealed)))
    db.close()
    return found


def octets(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox.db*"))


def test_after_it_the_new_key_alone_opens_everything(folder: Path) -> None:
    old = key_of(folder)
    before = opened(folder, old)
    exchange_key(folder, folder / "outbox.key", NOON)
    assert key_of(folder) != old
    assert opened(folder, key_of(folder)) == before
    assert not (folder / "outbox.key.new").exists()


def test_nothing_that_the_old_key_sealed_is_left_in_the_files(folder: Path) -> None:
    old = key_of(folder)
    assert key_id(old) in octets(folder)
    exchange_key(folder, folder / "outbox.key", NOON)
    assert key_id(old) not in octets(folder)


def test_the_old_key_is_refused_from_then_on(folder: Path) -> None:
    old = (folder / "outbox.key").read_text()
    exchange_key(folder, folder / "outbox.key", NOON)
    (folder / "outbox.key").write_text(old)
    with pytest.raises(Unusable, match="not the key to this outbox"):
        open_store(folder, folder / "outbox.key")


async def test_a_death_before_any_commit_of_it_is_made_good_at_the_next_start(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    before = opened(folder, key_of(folder))
    lives = 0
    for lives in range(100):
        there = Path(shutil.copytree(folder, tmp_path / str(lives)))
        keys.begin_exchange(there / "outbox.key")
        known = keys.load_keys(there / "outbox.key", there / "outbox.db")
        db = Mortal(connect(there / "outbox.db"), Vault(*known))
        db.commits_left = lives
        try:
            rotation.reseal(db)
            break
        except Died:
            pass
        finally:
            db.close()
        assert opened(there, *known) == before
        open_store(there, there / "outbox.key").close()
        assert key_of(there) == known[0]
        assert opened(there, known[0]) == before
    assert lives > 10


def test_a_death_between_the_last_commit_and_the_exchange_of_the_files_is_made_good(
    folder: Path,
) -> None:
    keys.begin_exchange(folder / "outbox.key")
    known = keys.load_keys(folder / "outbox.key", folder / "outbox.db")
    db = Database(connect(folder / "outbox.db"), Vault(*known))
    rotation.reseal(db)
    db.close()
    open_store(folder, folder / "outbox.key").close()
    assert key_of(folder) == known[0]


def test_half_a_new_key_is_never_taken_for_one(folder: Path) -> None:
    old = key_of(folder)
    (folder / "outbox.key.new.part").write_text("0011")
    open_store(folder, folder / "outbox.key").close()
    assert key_of(folder) == old
    exchange_key(folder, folder / "outbox.key", NOON)
    assert key_of(folder) != old


def test_it_waits_for_no_gateway_that_runs(folder: Path) -> None:
    running = open_store(folder, folder / "outbox.key")
    with pytest.raises(Unusable, match="another gateway"):
        exchange_key(folder, folder / "outbox.key", NOON)
    running.close()


def test_a_damaged_value_does_not_stop_it(folder: Path) -> None:
    db = Database(connect(folder / "outbox.db"), Vault(key_of(folder)))
    with db.transaction():
        row, body = db.execute("SELECT reading_id, body FROM bodies").fetchone()
        db.execute("UPDATE bodies SET body = ? WHERE reading_id = ?", body[:-1] + b"x", row)
    db.close()
    exchange_key(folder, folder / "outbox.key", NOON)
    assert len(opened(folder, key_of(folder))) > 0
    assert len(list(folder.glob("outbox.db.damaged-*"))) == 1


def test_every_sealed_column_is_known_to_it(folder: Path) -> None:
    """Whatever begins with the key's id was sealed, wherever it stands."""
    old = key_of(folder)
    db = Database(connect(folder / "outbox.db"), Vault(old))
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    sealed = set()
    for (table,) in tables:
        for _, column, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            sql = f"SELECT 1 FROM {table} WHERE substr({column}, 1, 4) = ?"  # noqa: S608 - our names
            if db.one(sql, key_id(old)):
                sealed.add((table, column))
    db.close()
    known = {(table, column) for table, columns in SEALED.items() for column in columns}
    assert sealed <= known | {("meta", "value")}
