"""Signed commands to gateways."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.store.asks import LIFE, Ask
from gateway import contract
from gateway.contract import Publication, Topics

Sign = Callable[[bytes], bytes]


class UnfitKey(Exception):
    """The file holds no key that could sign a command; the text says what to put there."""


def signer(path: Path) -> Sign:
    """From the PEM file of an Ed25519 key without a password. Raises UnfitKey and OSError."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise UnfitKey(f"{path}: no private key without a password; {_CURE}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UnfitKey(f"{path}: another kind of key; {_CURE}")
    return key.sign


_CURE = "put the fleet's private key there (PEM: openssl genpkey -algorithm ed25519)"


def order(ask: Ask, sign: Sign) -> Publication:
    """The same octets whenever it is made: a gateway that had it answers again."""
    topics = Topics(ask.organisation, ask.gateway)
    document: dict[str, Any] = {
        "id": str(ask.id),
        "issuer": ask.issuer,
        "number": ask.number,
        "expires": ask.expires.isoformat(),
        "command": ask.wanted.command,
        "arguments": ask.wanted.arguments(),
    }
    signature = sign(contract.signed_octets(topics.command, document))
    document["signature"] = base64.b64encode(signature).decode()
    return Publication(
        topics.command,
        json.dumps(document).encode(),
        "application/json",
        expiry_s=int(LIFE.total_seconds()),
        correlation=str(ask.number).encode(),
    )
