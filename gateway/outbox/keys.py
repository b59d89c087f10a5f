"""The files that hold data keys: made once, never over an existing outbox, exchanged without a gap.

An exchange leaves `outbox.key.new` beside `outbox.key` until nothing is sealed with the old key any
more; as long as both are there, both open.
"""

import os
import secrets
from pathlib import Path

from gateway.outbox.vault import KeyRefused

KEY_OCTETS = 32


def load_keys(path: Path, outbox: Path) -> list[bytes]:
    """The key that seals, then the one that it follows if an exchange is not over.

    A key is made at the very first start, when there is no outbox yet. Raises KeyRefused: a missing
    key never makes a new one beside an existing outbox.
    """
    if not path.exists() and not outbox.exists():
        _make(path)
    keys = [_read(path, outbox)]
    if _coming(path).exists():
        keys.insert(0, _read(_coming(path), outbox))
    return keys


def begin_exchange(path: Path) -> None:
    """Make the key that is to follow; an exchange that was begun before is gone on with."""
    if not _coming(path).exists():
        _make(_coming(path))


def end_exchange(path: Path) -> None:
    """Nothing is sealed with the old key any more: it is gone."""
    try:
        _coming(path).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise KeyRefused(
            f"{path}: cannot be replaced ({error}); make its folder writable"
        ) from error


def sync_folder(folder: Path) -> None:
    """Names in it are on disk, not only what they name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _coming(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _read(path: Path, outbox: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise KeyRefused(
            f"{path}: the key to {outbox} is missing; restore it from its backup"
            " (without it the stored readings cannot be read)"
        ) from None
    except (OSError, ValueError) as error:
        raise KeyRefused(
            f"{path}: cannot be read as 64 hexadecimal digits ({error}); check file and owner"
        ) from error
    if len(key) != KEY_OCTETS:
        raise KeyRefused(f"{path}: expected 64 hexadecimal digits, got {2 * len(key)}")
    return key


def _make(path: Path) -> None:
    """Under another name first: half a key must never be taken for one."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_bytes(KEY_OCTETS).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise KeyRefused(f"{path}: cannot be made ({error}); make its folder writable") from error
