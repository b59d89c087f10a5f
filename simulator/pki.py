"""A throw-away authority: certificates that are good for a demonstration or a test, no more.

P-256, keys in files that only their owner reads. The authority's own key is never written.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED = timedelta(hours=1)  # clocks in a virtual home need not agree
LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates into a directory. `ca` is the file to trust.

    *starts_in*: from when on they are valid, for those who want to see a wrong clock.
    """

    def __init__(
        self,
        directory: Path,
        name: str = "hjemgate throw-away CA",
        starts_in: timedelta = -BACKDATED,
    ) -> None:
        self._starts_in = starts_in
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca = directory / "ca.pem"
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            self._builder(self._name, self._key, datetime.now(UTC) + LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        _write(self.ca, _pem(builder.sign(self._key, hashes.SHA256())), 0o644)

    def server(
        self, name: str = "server", life: timedelta = LIFE, names: Sequence[str] = ("localhost",)
    ) -> Identity:
        """For a broker of these *names*; as localhost it has 127.0.0.1 too. *life* may be over."""
        alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
        if "localhost" in names:
            alternatives.append(x509.IPAddress(IPv4Address("127.0.0.1")))
        known_as = x509.SubjectAlternativeName(alternatives)
        return self._issue(name, ExtendedKeyUsageOID.SERVER_AUTH, life, known_as)

    def client(self, common_name: str, life: timedelta = LIFE) -> Identity:
        """For a gateway or a receiver; its common name is who it is. *life* may be over."""
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, life, None)

    def _issue(
        self,
        name: str,
        usage: x509.ObjectIdentifier,
        life: timedelta,
        names: x509.SubjectAlternativeName | None,
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            self._builder(subject, key, datetime.now(UTC) + life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        identity = Identity(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        _write(identity.key, _key_pem(key), 0o600)
        _write(identity.certificate, _pem(builder.sign(self._key, hashes.SHA256())), 0o644)
        return identity

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
    ) -> x509.CertificateBuilder:
        since = min(datetime.now(UTC) + self._starts_in, until - BACKDATED)
        ours = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), False)
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
