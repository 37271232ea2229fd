"""Certificates of an authority of one's own (P-256), for programs on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_YEAR = timedelta(days=365)
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, PEM both."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Issued(certificate, key)"  # the key is never printed


class Authority:
    """A new certificate authority; its key is never written anywhere."""

    def __init__(self, name: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _signed(_named(name), _named(name), self._key, self._key, (), is_authority=True)

    @property
    def certificate(self) -> str:
        """What clients trust, PEM."""
        return _pem(self._certificate)

    def issue(self, hosts: Iterable[str]) -> Issued:
        """A server's certificate for host names (wildcards too) and IPv4 addresses, valid for a year."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        names = tuple(hosts)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(_named(names[0]), self._certificate.subject, key, self._key, names, is_authority=False)
        written = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Issued(_pem(certificate), written.decode())


def days_left(certificate: str) -> float | None:
    """Days until a certificate (PEM, the first of a chain) ends, negative after that; None where there is none."""
    from cryptography import x509

    try:
        ends = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    except ValueError:
        return None
    return (ends - datetime.now(UTC)).total_seconds() / 86400


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    signer: EllipticCurvePrivateKey,
    hosts: tuple[str, ...],
    *,
    is_authority: bool,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)
        .not_valid_after(now + _YEAR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _general(host: str) -> x509.GeneralName:
    from ipaddress import ip_address

    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _named(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()
