"""Sealing: what could tell a value or a person leaves this module only encrypted.

AES-256-GCM; the associated data is table, row id, column and key id, so that a sealed value
copied elsewhere does not open.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_OCTETS = 32
NONCE_OCTETS = 12  # NIST SP 800-38D: 96 bits, random; far below 2^32 uses of one key here
KEY_ID_OCTETS = 4


class KeyRefused(Exception):
    """The key cannot be used with this outbox; the text says why and what to do."""


class Vault:
    """One data key."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._key_id = hashlib.sha256(b"hjemgate key id" + key).digest()[:KEY_ID_OCTETS]

    def seal(self, table: str, row: int, column: str, plain: bytes) -> bytes:
        """Key id, nonce, ciphertext and tag, in this order."""
        nonce = os.urandom(NONCE_OCTETS)
        return (
            self._key_id + nonce + self._aead.encrypt(nonce, plain, self._aad(table, row, column))
        )

    def open(self, table: str, row: int, column: str, sealed: bytes) -> bytes:
        """The plain octets. Raises KeyRefused for another key, another place or damage."""
        nonce_end = KEY_ID_OCTETS + NONCE_OCTETS
        nonce, cipher = sealed[KEY_ID_OCTETS:nonce_end], sealed[nonce_end:]
        try:
            return self._aead.decrypt(nonce, cipher, self._aad(table, row, column))
        except InvalidTag as error:
            raise KeyRefused(f"{table} row {row}: does not open with this key") from error

    def _aad(self, table: str, row: int, column: str) -> bytes:
        return f"{table}|{row}|{column}|".encode() + self._key_id


def keyed_digest(secret: bytes, *parts: bytes) -> bytes:
    """A hash nobody can search without the secret: meter values are few enough to guess."""
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(4, "big") + part)
    return mac.digest()[:16]


def load_key(path: Path, outbox: Path) -> bytes:
    """The data key in *path*; made there at the very first start, when there is no outbox yet.

    Raises KeyRefused: a missing key never makes a new one beside an existing outbox.
    """
    if not path.exists() and not outbox.exists():
        return _make_key(path)
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


def _make_key(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_OCTETS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise KeyRefused(f"{path}: cannot be made ({error}); make its folder writable") from error
    return key
