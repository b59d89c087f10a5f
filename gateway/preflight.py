"""Before anything is started: the files and folders that the configuration names.

Expiry of certificates is not judged here: at this moment our clock may be years behind.
"""

import os
import ssl
from pathlib import Path

from gateway.certificate import common_names
from gateway.config import Config, ConfigError
from gateway.fleet_key import UnfitKey, verifier

PEM_MARK = "-----BEGIN "


def preflight(config: Config) -> None:
    """Raise ConfigError, one line for each thing that is missing or unusable, with its cure."""
    if lines := problems(config):
        raise ConfigError("\n".join(lines))


def problems(config: Config) -> list[str]:
    """What stands in the way of a start, one line each: the key, the thing, the cure."""
    broker = config.broker
    found = [
        line
        for key, path, what in (
            ("broker.ca", broker.ca, "the certificate of the authority that signed the broker's"),
            ("broker.certificate", broker.certificate, "the gateway's certificate"),
            ("broker.key", broker.key, "the gateway's private key"),
        )
        if (line := _pem(key, path, what))
    ]
    if not found and (line := _credentials(config)):
        found.append(line)
    if line := _outbox_key(config.outbox.key):
        found.append(line)
    if config.commands.obey and (line := _fleet_key(config.commands.fleet_key)):
        found.append(line)
    for key, folder in (
        ("gateway.state_dir", config.gateway.state_dir),
        ("gateway.socket", config.gateway.socket.parent),
    ):
        if line := _folder(key, folder):
            found.append(line)
    return found


def _user() -> str:
    return f"user id {os.geteuid()}"


def _pem(key: str, path: Path, what: str) -> str | None:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return f"{key}: {path}: no such file; put {what} there (PEM), or correct the path"
    except PermissionError:
        return f"{key}: {path}: {_user()} may not read it; correct its owner and mode"
    except OSError as error:
        return f"{key}: {path}: cannot be read ({error.strerror}); put {what} there (PEM)"
    if PEM_MARK not in text:
        return f'{key}: {path}: not PEM: no line "{PEM_MARK}..."; convert it with openssl'
    return None


def _credentials(config: Config) -> str | None:
    """Whether the three belong together; asked of the TLS library that will use them."""
    broker, context = config.broker, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(broker.ca)
    except ssl.SSLError:
        return f"broker.ca: {broker.ca}: holds no certificate; put the authority's there"
    try:
        context.load_cert_chain(broker.certificate, broker.key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return (
                f"broker.key: {broker.key}: does not belong to {broker.certificate};"
                " put the pair there that was issued together"
            )
        return (
            f"broker.certificate: {broker.certificate}, broker.key: {broker.key}: not a certificate"
            " and an unencrypted private key; put the pair there that was issued together"
        )
    return _common_name(broker.certificate, config.gateway.id)


def _no_password() -> str:
    return ""  # without it an encrypted key would ask on the terminal


def _common_name(certificate: Path, gateway: str) -> str | None:
    names = common_names(certificate)
    if names == [gateway]:
        return None
    return (
        f"broker.certificate: {certificate}: issued to {', '.join(names) or 'nobody'},"
        f" but gateway.id is {gateway}; they must be the same"
    )


def _outbox_key(path: Path) -> str | None:
    """An absent key is no fault here: the outbox knows whether it may make one."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"outbox.key: {path}: {error.strerror} for {_user()}; correct its owner and mode"
    return None


def _fleet_key(path: Path) -> str | None:
    try:
        verifier(path)
    except UnfitKey as error:
        return f"commands.fleet_key: {error}"
    except OSError as error:
        return (
            f"commands.fleet_key: {path}: {error.strerror} for {_user()}; put the fleet's public"
            " key there, or set commands.obey to false"
        )
    return None


def _folder(key: str, folder: Path) -> str | None:
    """The folder, or the nearest one above it that exists, must be ours to write in."""
    there = folder
    # os.path.exists, since Path.exists raises where we may not look.
    while not os.path.exists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"{key}: {there}: not a folder; remove it or name another place"
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return f"{key}: {there}: {_user()} may not write there; correct its owner and mode"
    return None
