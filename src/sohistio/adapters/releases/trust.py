"""Which certificate authorities a download trusts."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from sohistio.errors import NotObtainedError


def trusting_only(authority: str) -> ssl.SSLContext:
    """This authority (PEM) and no other."""
    return ssl.create_default_context(cadata=authority)


def trusted_authorities() -> ssl.SSLContext:
    """The system's certificates and certifi's, or only those of SSL_CERT_FILE and SSL_CERT_DIR where set.

    A company's own authority is usually in the system's store, which httpx does not read by itself. Raises
    NotObtainedError.
    """
    own = {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)}
    for name, value in own.items():
        if not Path(value).exists():
            raise NotObtainedError(
                f"{name} names something that is not there: {value}",
                todo=f"Set {name} to the certificates to trust, or unset it.",
            )
    context = ssl.create_default_context()
    if not own:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def certificate_error(error: BaseException) -> str:
    """Why a server's certificate was rejected; empty where `error` has another cause."""
    cause: BaseException | None = error
    for _ in range(8):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = (cause.__cause__ or cause.__context__) if cause else None
    return ""
