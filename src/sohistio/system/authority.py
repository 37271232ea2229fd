"""The material of a certificate authority that istiod signs with: read, and checked before anybody relies on it.

The rules are istiod's (istio.io, "Plug in CA Certificates"; Istio's pki/util/keycertbundle.go) and RFC 5280's. No
message holds a part of a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from sohistio.system.pem import certificates_in, foreign_in, hindrances, keys_in

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_LEAST_RSA_BITS = 2048
# Twice the life of a workload's certificate.
_LEAST_LEFT = timedelta(days=2)
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_WEAK_DIGESTS = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class NamedText:
    """PEM, and what people call the place it came from: a file, or a secret of a vault."""

    name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Material:
    """What `cacerts` holds. `key` is None where it was not read: only who writes the Secret needs it.

    `chain` leads from the CA's certificate, which is its first, towards the root.
    """

    certificate: NamedText
    root: NamedText
    chain: NamedText
    key: NamedText | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA's certificate: who it is, by whom, the SHA-256 of its DER form in hex, and its end of validity in UTC."""

    subject: str
    issuer: str
    fingerprint: str
    ends: datetime


def issuers_in(pem: str) -> tuple[Issuer, ...]:
    """The certificates of a PEM text, in order; none where it holds none that can be read."""
    return tuple(
        Issuer(found.subject.rfc4514_string(), found.issuer.rfc4514_string(), _fingerprint(found), _end(found))
        for found in certificates_in(pem)
    )


def material_faults(material: Material, now: datetime | None = None) -> tuple[str, ...]:
    """All that keeps istiod, or those who trust the root, from working with it, each with the part's name."""
    return tuple(dict.fromkeys(_faults(material, now or datetime.now(UTC))))


def _faults(material: Material, now: datetime) -> Iterator[str]:
    own, roots, chain = (certificates_in(part.text) for part in (material.certificate, material.root, material.chain))
    for part, found in ((material.certificate, own), (material.root, roots), (material.chain, chain)):
        if not found:
            yield f"{part.name} holds no certificate that can be read"
        yield from (f"{part.name} {what}" for what in foreign_in(part.text, len(found)))
    if len(own) > 1:
        yield f"{material.certificate.name} holds {len(own)} certificates: expected the CA's alone"
    if own and chain and chain[0] != own[0]:
        yield f"{material.chain.name} does not begin with the certificate of {material.certificate.name}"
    for root in roots:
        if not _is_signed_by(root, root):
            yield f"{material.root.name}: {_name(root)} is not self-signed, so it is no root"
    named = [(material.certificate.name, item) for item in own[:1]]
    named += [(material.chain.name, item) for item in chain if item not in own and item not in roots]
    named += [(material.root.name, item) for item in roots]
    for name, certificate in named:
        yield from _certificate_faults(f"{name}: {_name(certificate)}", certificate, now)
        if certificate not in roots and (digest := _digest(certificate)) in _WEAK_DIGESTS:
            yield f"{name}: {_name(certificate)} is signed with {digest.upper()}: expected SHA-256 or better"
    if own and roots and chain and chain[0] == own[0]:
        yield from _chain_faults(material, chain, roots)
    if material.key is not None:
        yield from _key_faults(material.key, material.certificate.name, own[0] if own else None)


def _certificate_faults(name: str, certificate: x509.Certificate, now: datetime) -> Iterator[str]:
    if now > _end(certificate):
        yield f"{name} expired on {_end(certificate).date()}"
    elif now > _end(certificate) - _LEAST_LEFT:
        yield f"{name} ends on {_end(certificate):%Y-%m-%d %H:%M} UTC: expected two days at least"
    if now < certificate.not_valid_before_utc:
        yield f"{name} is valid from {certificate.not_valid_before_utc.date()} only"
    if not _constraints(certificate)[0]:
        yield f"{name} is not the certificate of a CA (basicConstraints)"
    if not _may_sign(certificate):
        yield f"{name} lacks permission to sign certificates (keyUsage keyCertSign)"
    if not _may_serve(certificate):
        yield f"{name} is not meant for TLS servers and clients (extendedKeyUsage), and hands that on to workloads"
    yield from (f"{name} {what}" for what in hindrances(certificate))
    if weakness := _weakness(certificate.public_key()):
        yield f"{name}: its key is {weakness}"


def _chain_faults(
    material: Material, chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> Iterator[str]:
    """Each is signed by the next, the last by a root; nobody has more CAs below than its path length allows."""
    name = material.chain.name
    path = [*chain]
    for below, above in pairwise(chain):
        if not _is_signed_by(below, above):
            yield f"{name}: {_name(below)} is not signed by the next certificate, {_name(above)}"
            return
    if chain[-1] not in roots:
        signers = [root for root in roots if _is_signed_by(chain[-1], root)]
        if not signers:
            yield f"{name}: {_name(chain[-1])} is not signed by a root of {material.root.name}"
            return
        path.append(signers[0])
    for count, certificate in enumerate(path):
        allowed = _constraints(certificate)[1]
        if allowed is not None and allowed < count:
            part = material.root.name if certificate in roots else name
            yield f"{part}: {_name(certificate)} allows {allowed} CAs below it (path length), and there are {count}"


def _key_faults(part: NamedText, certificate_name: str, certificate: x509.Certificate | None) -> Iterator[str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if len(keys_in(part.text)) > 1:
        yield f"{part.name} holds several private keys: expected the CA's alone"
        return
    try:
        public = load_pem_private_key(part.text.encode(), None).public_key()
    except TypeError:
        yield f"{part.name} is encrypted: istiod reads a key without a passphrase only"
        return
    except (ValueError, UnsupportedAlgorithm):
        yield f"{part.name} holds no private key that can be read (PEM)"
        return
    if certificate is not None and public != certificate.public_key():
        yield f"{part.name} is not the key of the certificate in {certificate_name}"


def _weakness(key: PublicKeyTypes) -> str:
    """Why istiod or Envoy would not take it; empty where they do."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    expected = f"expected RSA of {_LEAST_RSA_BITS} bits or more, or ECDSA on P-256 or more"
    match key:
        case RSAPublicKey():
            return f"RSA of {key.key_size} bits: {expected}" if key.key_size < _LEAST_RSA_BITS else ""
        case EllipticCurvePublicKey():
            return "" if key.curve.name in _CURVES else f"ECDSA on {key.curve.name}: {expected}"
        case _:
            return f"neither RSA nor ECDSA: {expected}"


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _constraints(certificate: x509.Certificate) -> tuple[bool, int | None]:
    """Whether it is a CA's, and how many CAs may be below it (None for any number)."""
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False, None
    return found.ca, found.path_length


def _may_sign(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (x509.ExtensionNotFound, ValueError):
        return False


def _may_serve(certificate: x509.Certificate) -> bool:
    """A CA's extended key usage, where it has one, bounds what it signs: Go and BoringSSL look at the whole chain."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        usages = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        return True
    both = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    return ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages or both <= usages


def _digest(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm else ""


def _fingerprint(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _end(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "the certificate without a subject"
