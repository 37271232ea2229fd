"""Encrypts what must not lie about in plain text: a passphrase's key by scrypt, then AES-256-GCM."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

from sohistio.errors import UsageError

PASSPHRASE_VARIABLE = "SOHISTIO_BACKUP_PASSPHRASE"  # noqa: S105 — the name of a variable  # nosec B105
LEAST_CHARACTERS = 12
# RFC 7914; 2^17 is what OWASP's cheat sheet on password storage asks for: 128 MiB and about 0.4 s.
_COST, _BLOCK, _PARALLEL = 2**17, 8, 1
_KIND = "scrypt+AES-256-GCM"


def passphrase(environ: Mapping[str, str]) -> str:
    """The passphrase from the environment. Raises UsageError where it is not set or too short."""
    found = environ.get(PASSPHRASE_VARIABLE, "")
    if len(found) < LEAST_CHARACTERS:
        state = f"has fewer than {LEAST_CHARACTERS} characters" if found else "is not set"
        raise UsageError(
            f"the CA's key is kept encrypted only, and the variable {PASSPHRASE_VARIABLE} {state}",
            todo="Export it from your secret store (never on the command line, which others can read).",
        )
    return found


def seal(document: Mapping[str, Any], phrase: str) -> dict[str, Any]:
    """The document encrypted, as JSON that says how."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_key(phrase, salt)).encrypt(nonce, json.dumps(document).encode(), _KIND.encode())
    return {"kind": _KIND, "salt": _text(salt), "nonce": _text(nonce), "data": _text(sealed)}


def unseal(sealed: Mapping[str, Any], phrase: str) -> dict[str, Any]:
    """What was sealed. Raises UsageError where the passphrase is another or the data are damaged."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        salt, nonce, data = (base64.b64decode(sealed[key], validate=True) for key in ("salt", "nonce", "data"))
        plain = AESGCM(_key(phrase, salt)).decrypt(nonce, data, str(sealed["kind"]).encode())
        return dict(json.loads(plain))
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the CA's key cannot be decrypted with what {PASSPHRASE_VARIABLE} holds",
            todo="Use the passphrase of the day of the backup; otherwise the file is damaged.",
        ) from error


def _key(phrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_PARALLEL).derive(phrase.encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
