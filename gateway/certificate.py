"""To whom a certificate was issued, and when, read from its DER by hand.

Measured: `cryptography.x509` keeps 2 MiB of a daemon that asks this once. What is read here has
been accepted by the TLS library before, so a shape that is not X.509 (RFC 5280 section 4.1) is no
case.
"""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

COMMON_NAME = bytes.fromhex("0603550403")  # OBJECT IDENTIFIER 2.5.4.3
VERSION = 0xA0  # [0] EXPLICIT, left out of a version 1 certificate
VALIDITY = 3  # two times: from, to
SUBJECT = 4  # after serial number, signature algorithm, issuer and validity
UTC_TIME = 0x17  # its year has two digits; RFC 5280 4.1.2.5.1: 50 to 99 are of the last century
UTF_16 = 0x1E  # BMPString; every other string type in use is UTF-8 or a part of it
FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def common_names(path: Path) -> list[str]:
    """The CNs in the subject of the first certificate in a PEM file; empty if there are none."""
    der = _first(path)
    return [] if der is None else subject(der)


def not_before(path: Path) -> datetime | None:
    """From when on the first certificate in a PEM file is valid; None if there is none."""
    der = _first(path)
    if der is None:
        return None
    _, validity = _fields(der)[VALIDITY]
    tag, octets = next(_parts(validity))
    text = octets.decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def subject(der: bytes) -> list[str]:
    """The CNs in the subject of a certificate."""
    _, name_of = _fields(der)[SUBJECT]
    return [
        octets.decode("utf-16-be" if tag == UTF_16 else "utf-8", "replace")
        for _, names in _parts(name_of)
        for _, name in _parts(names)
        if name.startswith(COMMON_NAME)
        for tag, octets in _parts(name[len(COMMON_NAME) :])
    ]


def _first(path: Path) -> bytes | None:
    found = FIRST.search(path.read_text(encoding="ascii", errors="replace"))
    return None if found is None else ssl.PEM_cert_to_DER_cert(found[0])


def _fields(der: bytes) -> list[tuple[int, bytes]]:
    """The fields of the signed part, without the version."""
    ((_, certificate),) = _parts(der)
    _, signed = next(_parts(certificate))
    return [(tag, octets) for tag, octets in _parts(signed) if tag != VERSION]


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands one after the other in *der*: each tag and its contents."""
    at = 0
    while at < len(der):
        tag, size = der[at], der[at + 1]
        at += 2
        if size & 0x80:  # the long form: so many octets hold the size
            more = size & 0x7F
            size = int.from_bytes(der[at : at + more])
            at += more
        yield tag, der[at : at + size]
        at += size
