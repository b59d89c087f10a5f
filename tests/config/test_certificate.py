"""Our reader of subjects, held against the library that made the certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from gateway.certificate import common_names, subject

PEM = serialization.Encoding.PEM
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def certificate(
    *attributes: x509.NameAttribute[str], key: ec.EllipticCurvePrivateKey | None = None
) -> x509.Certificate:
    private = key or rsa.generate_private_key(65537, 2048)  # long: sizes of two octets
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    return (
        x509.CertificateBuilder(issuer, x509.Name(attributes), private.public_key(), 1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )


def name(text: str, kind: _ASN1Type | None = None) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text, kind)


ORGANISATION = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a" * 64)


@pytest.mark.parametrize(
    "attributes",
    [
        (name("gw-0000000000"),),
        (ORGANISATION, name("gw-0000000000"), ORGANISATION),
        (name("first"), name("second")),
        (name("Ærø", _ASN1Type.UTF8String),),
        (name("Ærø", _ASN1Type.BMPString),),
        (name("printable", _ASN1Type.PrintableString),),
        (ORGANISATION,),
        (),
    ],
)
def test_the_subjects_names_are_those_the_library_reads(
    attributes: tuple[x509.NameAttribute[str], ...],
) -> None:
    made = certificate(*attributes)
    expected = [each.value for each in made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    assert subject(made.public_bytes(serialization.Encoding.DER)) == expected


def test_the_first_certificate_of_a_chain_is_meant(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    chain = [certificate(name(each), key=key).public_bytes(PEM) for each in ("ours", "theirs")]
    (tmp_path / "chain.pem").write_bytes(b"A text before it.\n" + b"".join(chain))
    assert common_names(tmp_path / "chain.pem") == ["ours"]
