"""Sealing: what could tell a value or a person leaves this module only encrypted.

AES-256-GCM; the associated data is table, row id, column and key id, so that a sealed value
copied elsewhere does not open.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_OCTETS = 12  # NIST SP 800-38D: 96 bits, random; far below 2^32 uses of one key here
KEY_ID_OCTETS = 4


class KeyRefused(Exception):
    """The key cannot be used with this outbox; the text says why and what to do."""


class Vault:
    """One data key; while keys are exchanged also those that it follows, which only open."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._key_id = key_id(key)
        self._aead = {key_id(each): AESGCM(each) for each in (key, *former)}

    def seal(self, table: str, row: int, column: str, plain: bytes) -> bytes:
        """Key id, nonce, ciphertext and tag, in this order."""
        nonce = os.urandom(NONCE_OCTETS)
        aad = _aad(table, row, column, self._key_id)
        return self._key_id + nonce + self._aead[self._key_id].encrypt(nonce, plain, aad)

    def open(self, table: str, row: int, column: str, sealed: bytes) -> bytes:
        """The plain octets. Raises KeyRefused for another key, another place or damage."""
        name, nonce_end = sealed[:KEY_ID_OCTETS], KEY_ID_OCTETS + NONCE_OCTETS
        nonce, cipher = sealed[KEY_ID_OCTETS:nonce_end], sealed[nonce_end:]
        try:
            return self._aead[name].decrypt(nonce, cipher, _aad(table, row, column, name))
        except (InvalidTag, KeyError, ValueError) as error:
            raise KeyRefused(f"{table} row {row}: does not open with this key") from error

    @property
    def exchanging(self) -> bool:
        """Whether there is a key to be done away with."""
        return len(self._aead) > 1

    def knows(self, sealed: bytes) -> bool:
        """Whether it was sealed with a key that is here: if it does not open, it is damaged."""
        return sealed[:KEY_ID_OCTETS] in self._aead

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        return sealed[:KEY_ID_OCTETS] == self._key_id


def key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"hjemgate key id" + key).digest()[:KEY_ID_OCTETS]


def _aad(table: str, row: int, column: str, name: bytes) -> bytes:
    return f"{table}|{row}|{column}|".encode() + name


def keyed_digest(secret: bytes, *parts: bytes) -> bytes:
    """A hash nobody can search without the secret: meter values are few enough to guess."""
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(4, "big") + part)
    return mac.digest()[:16]
