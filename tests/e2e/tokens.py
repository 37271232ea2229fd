"""JSON Web Tokens of an issuer of the test's own (RS256)."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Issuer:
    """Its key is made anew; `jwks` is the public part."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwks(self) -> str:
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "1", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        return json.dumps({"keys": [key]})

    def token(self, audience: str, *, seconds: int = 300, **claims: Any) -> str:
        """Valid for so many seconds, expired where that is negative."""
        now = int(time.time())
        payload = {"iss": self.name, "sub": "alice", "aud": audience, "iat": now - 600, "exp": now + seconds} | claims
        signed = f"{_part({'alg': 'RS256', 'kid': '1', 'typ': 'JWT'})}.{_part(payload)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
