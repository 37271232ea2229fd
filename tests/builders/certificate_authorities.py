"""Real certificate authorities, sound and unsound: a root, CAs below it, and their PEM as istiod's Secret has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
YEARS = 3650
PARTS = ("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")


@dataclass(frozen=True)
class Shape:
    """How a CA's certificate is made; what is not said is sound."""

    days: float = YEARS
    begins: float = -1
    is_ca: bool = True
    path_length: int | None = None
    may_sign: bool | None = True
    usages: tuple[x509.ObjectIdentifier, ...] = ()
    address: str = ""
    """Of a server."""
    constraints: x509.NameConstraints | None = None
    unknown: bool = False
    """With a critical extension that nobody knows."""


SOUND = Shape()
SERVERS_ONLY = Shape(usages=(ExtendedKeyUsageOID.SERVER_AUTH,))


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key = field(repr=False)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)


def key_pem(key: Key, passphrase: bytes = b"") -> str:
    """A private key (PKCS8), encrypted with a passphrase where one is given."""
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def make(name: str, above: Made | None = None, shape: Shape = SOUND, key: Key | None = None) -> Made:
    """A CA's certificate, self-signed without another above it."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = above.certificate.subject if above else subject
    built = x509.CertificateBuilder(issuer, subject, own.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now + timedelta(days=shape.begins)).not_valid_after(now + timedelta(days=shape.days))
    if shape.is_ca or shape.path_length is not None:
        built = built.add_extension(x509.BasicConstraints(shape.is_ca, shape.path_length), critical=True)
    if shape.may_sign is not None:
        sign = shape.may_sign
        usage = x509.KeyUsage(not sign, False, False, False, False, sign, sign, False, False)
        built = built.add_extension(usage, critical=True)
    if shape.usages:
        built = built.add_extension(x509.ExtendedKeyUsage(shape.usages), critical=False)
    if shape.address:
        place = x509.SubjectAlternativeName([x509.IPAddress(ip_address(shape.address))])
        built = built.add_extension(place, critical=False)
    if shape.constraints:
        built = built.add_extension(shape.constraints, critical=True)
    if shape.unknown:
        nobodys = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        built = built.add_extension(nobodys, critical=True)
    signer = above.key if above else own
    return Made(built.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()), own)


@dataclass(frozen=True)
class Corporate:
    """A root and a CA for a mesh below it."""

    root: Made
    mesh: Made

    @property
    def parts(self) -> dict[str, str]:
        """By the names of Istio's documentation."""
        texts = (self.mesh.pem, self.mesh.key_pem, self.root.pem, self.mesh.pem + self.root.pem)
        return dict(zip(PARTS, texts, strict=True))

    def write(self, folder: Path, **other: str) -> None:
        """Into files; `other` replaces parts, by their names with _ in place of - and without .pem."""
        given = {f"{name.replace('_', '-')}.pem": text for name, text in other.items()}
        for name, text in (self.parts | given).items():
            (folder / name).write_text(text, encoding="ascii")


def corporate(name: str = "Example", *, days: float = YEARS) -> Corporate:
    """A sound one, whose mesh CA ends in so many days."""
    root = make(f"{name} Root")
    return Corporate(root, make(f"{name} Mesh CA", root, Shape(days=days, path_length=0)))
