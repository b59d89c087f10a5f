"""Certificates between a party and us: ours, theirs, and what is wrong with either in words."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

# Alerts (RFC 8446, 6.2) that end a handshake, or with TLS 1.3 come right after it.
_REFUSALS = ("certificate", "unknown ca", "handshake", "access denied", "protocol version")

# Whoever refuses a certificate may have hung up before that was read.
_BROKEN = "the line broke; if it does so each time: do they accept `certificate`?"

AHEAD = timedelta(days=14)  # before our certificate ends, somebody is told


def context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """The system's authorities, or *ca* alone; ours for mTLS. Raises OSError and SSLError."""
    tls = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        tls.load_cert_chain(certificate, key, password="")
    return tls


def refused(error: BaseException) -> bool:
    """Whether the line was refused for a certificate or for TLS: then nothing was looked at."""
    alerts = [_alert(each) for each in _causes(error) if isinstance(each, ssl.SSLError)]
    return any(refusal in alert for alert in alerts for refusal in _REFUSALS)


def words(error: BaseException) -> str:
    """Of a call that failed. The kind alone: the text of some errors holds what was sent."""
    for each in _causes(error):
        match each:
            case ssl.SSLCertVerificationError():
                return (
                    f"their certificate is not accepted ({each.verify_message}):"
                    " check `ca`, and the name in the address"
                )
            case ssl.SSLError() if alert := _alert(each):
                return f"they refuse our certificate or our TLS ({alert}): check `certificate`"
            case socket.gaierror():
                return "the name in their address is not known: check it, and the DNS"
            case ConnectionRefusedError():
                return "nobody listens at their address"
            case _:
                pass
    name = type(error).__name__
    return _BROKEN if name in {"ReadError", "WriteError"} else name


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _alert(error: ssl.SSLError) -> str:
    """The alert that the other side sent, "certificate expired"; empty if it sent none."""
    _, _, name = (error.reason or "").partition("ALERT_")
    return name.replace("_", " ").lower()


@dataclass(frozen=True, slots=True)
class Ending:
    """Our certificate, whose end comes near."""

    path: Path

    async def look(self) -> str | None:
        """What is to be done about it, if anything is."""
        try:
            ends = x509.load_pem_x509_certificate(self.path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            return f"{self.path}: our certificate cannot be read: {error}"
        left = ends - datetime.now(UTC)
        if left > AHEAD:
            return None
        verb = "ended" if left < timedelta(0) else "ends"
        return f"{self.path}: our certificate {verb} on {ends:%Y-%m-%d}: renew it, and restart"
