"""The fleet key: the public half of what signs commands, pinned in a file of the gateway."""

from collections.abc import Callable
from pathlib import Path


class UnfitKey(Exception):
    """The file holds no key that could verify a command; the text says what to put there."""


def verifier(path: Path) -> Callable[[bytes, bytes], bool]:
    """Tells whether a signature over octets is by the Ed25519 key in *path* (PEM).

    Raises UnfitKey and OSError.
    """
    # Memory: only where commands are obeyed.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    cure = "put the fleet's public key there (PEM, Ed25519: openssl pkey -pubout)"
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        raise UnfitKey(f"{path}: no public key; {cure}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UnfitKey(f"{path}: another kind of key; {cure}")

    def verify(signature: bytes, octets: bytes) -> bool:
        try:
            key.verify(signature, octets)
        except InvalidSignature:
            return False
        return True

    return verify
