"""Certificates: read from Secrets (never a key), and of an authority of one's own (P-256)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_YEAR = timedelta(days=365)
_CLOCKS_APART = timedelta(minutes=5)
# Of Secrets of type kubernetes.io/tls, and of Istio's generic ones (istio.io, "Secure Gateways", key formats).
_CERTIFICATE_KEYS = ("tls.crt", "cert")


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


@dataclass(frozen=True, slots=True)
class Leaf:
    """The first certificate of a chain: SHA-256 of its DER form, in hex, and its end of validity in UTC."""

    fingerprint: str
    ends: datetime

    @property
    def days_left(self) -> float:
        """Days until it ends, negative after that."""
        return (self.ends - datetime.now(UTC)).total_seconds() / 86400


def certificate_of(secret: Mapping[str, Any] | None) -> Leaf | None:
    """The certificate that a TLS Secret holds; None without Secret, or without a certificate that can be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    data = (secret or {}).get("data") or {}
    encoded = next((data[key] for key in _CERTIFICATE_KEYS if data.get(key)), "")
    try:
        found = x509.load_pem_x509_certificates(base64.b64decode(encoded))[0]
    except ValueError:
        return None
    return Leaf(hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest(), found.not_valid_after_utc)


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
