"""Keys made here (P-256), and a server's certificate from an authority of its own that signs nothing else: the
authority's key is thrown away at once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Clocks may be a little apart.
_EARLIER = timedelta(hours=1)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def self_signed(
    name: str, hosts: Iterable[str], addresses: Iterable[ipaddress.IPv4Address], days: int
) -> tuple[str, str]:
    """The server's certificate with its authority's after it, and the private key of the server, all as PEM.

    A server signs at each connection: with P-256 that takes it a small part of the time that RSA takes.
    """
    authority_key, key = _new_key(), _new_key()
    issuer = _name(f"{name} authority")
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    usage = dict.fromkeys(_USAGES, False)
    authority = (
        _begun(issuer, issuer, authority_key, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage | {"key_cert_sign": True}), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    known_as = [*map(x509.DNSName, hosts), *map(x509.IPAddress, addresses)]
    server = (
        _begun(_name(name), issuer, key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage | {"digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(known_as), critical=False)
        .add_extension(signed_by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    chain = "".join(item.public_bytes(serialization.Encoding.PEM).decode() for item in (server, authority))
    return chain, _as_pem(key)


def private_key() -> str:
    """A private key for signing, as PEM (RFC 5915)."""
    return _as_pem(_new_key())


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _as_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form, hidden = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now, serial = datetime.now(UTC), x509.random_serial_number()
    built = x509.CertificateBuilder(issuer, subject, key.public_key(), serial)
    built = built.not_valid_before(now - _EARLIER).not_valid_after(now + timedelta(days=days))
    return built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
