"""Files and folders that the configuration names: each fault is one line with its cure."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from gateway.config import Config, ConfigError, parse
from gateway.preflight import preflight, problems

GATEWAY = "gw-0123456789"
NOBODY = 65534  # root is refused nothing: modes are shown as this user


def write_pair(certificate: Path, key: Path, name: str) -> None:
    """A self-signed certificate and its key: enough for what is looked at before a start."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextmanager
def unprivileged() -> Iterator[int]:
    """Yields the user id that we are for a while."""
    if os.geteuid() != 0:
        yield os.geteuid()
        return
    os.seteuid(NOBODY)
    try:
        yield NOBODY
    finally:
        os.seteuid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user may enter, unlike pytest's own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def config(place: Path) -> Config:
    write_pair(place / "ca.pem", place / "ca.key", "Test CA")
    write_pair(place / "gateway.pem", place / "gateway.key", GATEWAY)
    return parse(
        {
            "gateway": {
                "id": GATEWAY,
                "organisation": "4321",
                "state_dir": str(place / "state"),
                "socket": str(place / "run" / "control.sock"),
            },
            "broker": {
                "host": "127.0.0.1",
                "ca": str(place / "ca.pem"),
                "certificate": str(place / "gateway.pem"),
                "key": str(place / "gateway.key"),
            },
            "outbox": {"key": str(place / "outbox.key")},
        },
        "test",
    )


def test_nothing_is_wrong_with_a_complete_set(config: Config) -> None:
    preflight(config)


def test_a_missing_certificate_is_named_with_its_cure(config: Config) -> None:
    config.broker.certificate.unlink()
    with pytest.raises(ConfigError) as caught:
        preflight(config)
    assert str(caught.value) == (
        f"broker.certificate: {config.broker.certificate}: no such file;"
        " put the gateway's certificate there (PEM), or correct the path"
    )


def test_a_file_that_is_not_pem_is_named(config: Config) -> None:
    config.broker.ca.write_bytes(b"\x30\x82\x01\x0a")
    assert problems(config) == [
        f'broker.ca: {config.broker.ca}: not PEM: no line "-----BEGIN ..."; convert it with openssl'
    ]


def test_a_folder_in_place_of_a_key_is_named(config: Config) -> None:
    config.broker.key.unlink()
    config.broker.key.mkdir()
    assert problems(config) == [
        (
            f"broker.key: {config.broker.key}: cannot be read (Is a directory);"
            " put the gateway's private key there (PEM)"
        )
    ]


def test_an_authority_file_without_a_certificate_is_named(config: Config) -> None:
    config.broker.ca.write_bytes(config.broker.key.read_bytes())
    assert problems(config) == [
        f"broker.ca: {config.broker.ca}: holds no certificate; put the authority's there"
    ]


def test_a_key_of_another_certificate_is_named(config: Config, place: Path) -> None:
    write_pair(place / "other.pem", config.broker.key, GATEWAY)
    assert problems(config) == [
        (
            f"broker.key: {config.broker.key}: does not belong to {config.broker.certificate};"
            " put the pair there that was issued together"
        )
    ]


def obeying(config: Config, key: Path) -> Config:
    commands = config.commands.model_copy(update={"obey": True, "fleet_key": key})
    return config.model_copy(update={"commands": commands})


def test_a_fleet_key_is_looked_at_where_commands_are_obeyed(config: Config, place: Path) -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    key = place / "fleet.pem"
    key.write_bytes(
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    assert problems(obeying(config, key)) == []
    key.write_bytes(b"no key")
    (line,) = problems(obeying(config, key))
    assert line.startswith(f"commands.fleet_key: {key}: no public key; put the fleet's")
    key.write_bytes(
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert "another kind of key" in problems(obeying(config, key))[0]
    key.unlink()
    assert "No such file" in problems(obeying(config, key))[0]
    assert problems(config) == []


def test_a_broken_key_is_named(config: Config) -> None:
    config.broker.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n", encoding="ascii")
    (line,) = problems(config)
    assert "not a certificate and an unencrypted private key" in line


def test_a_certificate_of_another_gateway_is_named(config: Config) -> None:
    write_pair(config.broker.certificate, config.broker.key, "gw-9999999999")
    assert problems(config) == [
        (
            f"broker.certificate: {config.broker.certificate}: issued to gw-9999999999,"
            f" but gateway.id is {GATEWAY}; they must be the same"
        )
    ]


def test_a_file_in_place_of_the_state_directory_is_named(config: Config) -> None:
    config.gateway.state_dir.write_text("", encoding="ascii")
    assert problems(config) == [
        (
            f"gateway.state_dir: {config.gateway.state_dir}: not a folder;"
            " remove it or name another place"
        )
    ]


def test_an_unreadable_key_is_named(config: Config, place: Path) -> None:
    config.broker.key.chmod(0)
    config.gateway.state_dir.mkdir()
    config.gateway.state_dir.chmod(0o777)
    config.gateway.socket.parent.mkdir()
    config.gateway.socket.parent.chmod(0o777)
    with unprivileged() as user:
        assert problems(config) == [
            (
                f"broker.key: {config.broker.key}: user id {user} may not read it;"
                " correct its owner and mode"
            )
        ]


def test_an_unwritable_state_directory_is_named(config: Config, place: Path) -> None:
    place.chmod(0o555)
    config.broker.key.chmod(0o644)
    with unprivileged() as user:
        assert problems(config)[0] == (
            f"gateway.state_dir: {place}: user id {user} may not write there;"
            " correct its owner and mode"
        )


def test_every_fault_is_a_line_of_its_own(config: Config) -> None:
    config.broker.ca.unlink()
    config.broker.key.unlink()
    assert [line.split(":")[0] for line in problems(config)] == ["broker.ca", "broker.key"]
