"""The key that signs dynamic updates, from its file. Its secret is in no message."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from sohistio.errors import RefusedError
from sohistio.model.dns import Rfc2136

if TYPE_CHECKING:
    from dns.tsig import Key

# As tsig-keygen writes it: key "sohistio" { algorithm hmac-sha256; secret "…"; };
_NAME = re.compile(r'key\s+"?([^"\s{]+)"?\s*\{')
_ALGORITHM = re.compile(r'algorithm\s+"?([A-Za-z0-9-]+)"?\s*;')
_SECRET = re.compile(r'secret\s+"?([^"\s;]+)"?\s*;')
_TODO = "Write it with tsig-keygen, or the key's base64 alone; failover.dns.rfc2136 names it."


def read_key(settings: Rfc2136) -> Key:
    """The key. Raises RefusedError where the file cannot be read, holds no key, or holds another one."""
    import dns.exception
    import dns.name
    import dns.tsig

    try:
        text = settings.key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RefusedError(
            f"the TSIG key file {settings.key_file} cannot be read",
            details=(why,),
            todo="Correct failover.dns.rfc2136.keyFile; a relative path begins at the environment's folder.",
        ) from None
    secret = text
    if found := _SECRET.search(text):
        secret = found[1]
        _compare(settings, "key", _NAME.search(text), settings.key_name)
        _compare(settings, "algorithm", _ALGORITHM.search(text), settings.algorithm)
    try:
        binascii.a2b_base64(secret, strict_mode=True)
        key = dns.tsig.Key(dns.name.from_text(settings.key_name), secret, settings.algorithm)
    except (ValueError, dns.exception.DNSException):
        # `from None`: the original's text may have the secret.
        raise RefusedError(f"{settings.key_file} holds no TSIG key", todo=_TODO) from None
    if not key.secret:
        raise RefusedError(f"the TSIG key file {settings.key_file} is empty", todo=_TODO)
    return key


def _compare(settings: Rfc2136, what: str, found: re.Match[str] | None, expected: str) -> None:
    if found and found[1].rstrip(".").lower() != expected.lower():
        raise RefusedError(
            f"{settings.key_file} has the {what} {found[1]}, the environment names {expected}",
            todo="Correct failover.dns.rfc2136 (keyName, algorithm, keyFile).",
        )
