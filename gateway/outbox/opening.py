"""Opening an outbox as it is found: whole, damaged, between two keys, on a full disk."""

import fcntl
import logging
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import IO

from gateway.outbox import exchange, keys
from gateway.outbox.connection import DamagedError, Factory, Full, NewerError, connect
from gateway.outbox.database import Database
from gateway.outbox.reserve import Reserve
from gateway.outbox.vault import KeyRefused, Vault

log = logging.getLogger(__name__)

FILE = "outbox.db"
LOCK = "outbox.lock"
RESERVE = "outbox.reserve"
# Set when a value did not open, which quick_check cannot see: the next start looks at all of them.
SUSPECT = "outbox.suspect"

# What SQLite says of a file that is not sound, or of a disk that does not give it back.
_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
    }
)


class Unusable(Exception):
    """The outbox cannot be opened; the text names the thing and the cure."""


def lock(state_dir: Path) -> IO[str]:
    """The folder is ours alone until this is closed, however the process ends. Raises Unusable."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = (state_dir / LOCK).open("w")
    except OSError as error:
        raise Unusable(
            f"{state_dir}: the outbox cannot be written there ({error.strerror});"
            " make the folder, give it to the gateway's user, or set gateway.state_dir"
        ) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise Unusable(
            f"{state_dir}: another gateway works with this outbox; end it first,"
            " or set gateway.state_dir"
        ) from None
    return held


def open_database(
    state_dir: Path,
    key_file: Path,
    now: datetime,
    quota: int | None = None,
    factory: Factory = connect,
) -> Database:
    """Open, make or salvage the outbox of a folder that is locked; *quota* in octets.

    Raises Unusable in one line.
    """
    path, reserve = state_dir / FILE, Reserve(state_dir / RESERVE)
    try:
        exchange.finish(path)
        vault = Vault(*keys.load_keys(key_file, path))
        db = _roomy(path, vault, reserve, factory, now)
        if vault.exchanging:
            db = _resealed(db, path, vault, factory, now)
            keys.end_exchange(key_file)
    except KeyRefused as error:
        raise Unusable(_key_words(error, key_file)) from error
    except NewerError as error:
        raise Unusable(
            f"{path}: written by a newer version ({error}); install that version again"
        ) from error
    except Full as error:
        raise Unusable(f"{path}: the disk is full ({error}); make room on it") from error
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{path}: cannot be opened ({error}); check its owner and mode") from error
    if quota is not None:
        db.bound(quota)
        reserve.take()
        db.reserve = reserve
    return db


def exchange_key(state_dir: Path, key_file: Path, now: datetime) -> None:
    """Seal everything with a new key, which takes the old one's place in *key_file*.

    It may be cut short anywhere: both keys are there until it is over, and the next start goes on
    with it. Raises Unusable: the gateway must not be running.
    """
    with lock(state_dir):
        open_database(state_dir, key_file, now).close()  # whole, and the old key opens it
        try:
            keys.begin_exchange(key_file)
        except KeyRefused as error:
            raise Unusable(str(error)) from error
        open_database(state_dir, key_file, now).close()


def _resealed(db: Database, path: Path, vault: Vault, factory: Factory, now: datetime) -> Database:
    """The outbox with nothing in it that needs the old key; what is damaged is salvaged first."""
    from gateway.outbox import rotation  # noqa: PLC0415 - seldom, and it stays in memory

    try:
        log.info("outbox: %d values sealed with the new key", rotation.reseal(db))
    except KeyRefused:
        db.close()
        suspect(path.parent)
        db = _sound(path, vault, factory, now)
        rotation.reseal(db)
    except BaseException:
        db.close()
        raise
    return db


def _roomy(path: Path, vault: Vault, reserve: Reserve, factory: Factory, now: datetime) -> Database:
    """Even a start needs a little room on the disk."""
    try:
        return _sound(path, vault, factory, now)
    except Full:
        if not reserve.give_up():
            raise
        return _sound(path, vault, factory, now)


def _sound(path: Path, vault: Vault, factory: Factory, now: datetime) -> Database:
    suspicion = path.with_name(SUSPECT)
    reason = "a value in it did not open" if suspicion.exists() else None
    if reason is None:
        try:
            return _open(path, vault, factory)
        except DamagedError as error:
            reason = str(error)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            reason = str(error)
    log.error("%s: damaged (%s): salvaging what can be read", path, reason)
    from gateway.outbox import salvage  # noqa: PLC0415 - seldom, and it stays in memory

    salvage.salvage(path, vault, now)
    suspicion.unlink(missing_ok=True)
    return _open(path, vault, factory)


def _open(path: Path, vault: Vault, factory: Factory) -> Database:
    connection = factory(path)
    try:
        return Database(connection, vault)
    except BaseException:
        connection.close()
        raise


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file itself is at fault."""
    code = getattr(error, "sqlite_errorcode", None)  # absent where the sqlite3 module itself raises
    return code is not None and (code in _DAMAGE or code & 0xFF in _DAMAGE)


def suspect(state_dir: Path) -> None:
    """Something in the file does not read: the next start salvages it."""
    (state_dir / SUSPECT).touch()


def _key_words(error: KeyRefused, key_file: Path) -> str:
    text = str(error)
    if text.startswith(str(key_file)):
        return text
    return f"{key_file}: not the key to this outbox; restore the right one from its backup"
