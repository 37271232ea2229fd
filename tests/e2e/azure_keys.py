"""Certificates and tokens for a cloud on loopback: a certificate authority of its own, tokens signed with RS256."""

from __future__ import annotations

import datetime
import ipaddress
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def write_certificates(folder: Path) -> tuple[Path, Path]:
    """The authority's certificate, and the server's with its key, for localhost."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("test authority", "localhost")]
    alternatives = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = []
    for number, is_authority in enumerate((True, False)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[number])
            .issuer_name(names[0])
            .public_key(keys[number].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        if is_authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority, server = folder / "ca.pem", folder / "server.pem"
    authority.write_bytes(made[0])
    server.write_bytes(made[1] + key)
    return authority, server


@dataclass
class Signer:
    """Signs tokens and keeps all it has signed: they are secrets that must not be found anywhere."""

    issuer: str
    signed: list[str] = field(default_factory=list)
    _key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def token(self, audience: str, seconds: float, **claims: Any) -> str:
        now = time.time()
        times = {"iat": int(now), "nbf": int(now) - 5, "exp": int(now + seconds), "jti": uuid.uuid4().hex}
        body = {"iss": self.issuer, "aud": audience} | times | claims
        self.signed.append(jwt.encode(body, self._key, algorithm="RS256", headers={"kid": "key-1"}))
        return self.signed[-1]

    def read(self, token: str, audience: str) -> dict[str, Any]:
        """The claims. Raises jwt.PyJWTError for a token that is not good."""
        options: Any = {"algorithms": ["RS256"], "audience": audience, "issuer": self.issuer}
        claims: dict[str, Any] = jwt.decode(token, self._key.public_key(), **options)
        return claims

    def key_set(self) -> dict[str, Any]:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": "key-1", "use": "sig", "alg": "RS256"}]}
