"""The certificates that a kubeconfig gives: tried before the first request, which could not tell whose they are."""

from __future__ import annotations

import ssl
from typing import Any

from sohistio.errors import UsageError


def check_certificates(configuration: Any, context: str | None, where: object) -> None:
    """The authority that the API server's certificate comes from, and the user's own certificate and key.

    Raises UsageError where TLS could not use them.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if configuration.ssl_ca_cert:
            tls.load_verify_locations(configuration.ssl_ca_cert)
    except OSError as error:
        raise UsageError(
            f"the certificate-authority of context {context!r} in the kubeconfig {where} cannot be used",
            details=(_said(error),),
            todo="It must be a certificate as PEM, within the kubeconfig as base64. Fetch the kubeconfig again.",
        ) from error
    try:
        if configuration.cert_file:
            # Without a password here OpenSSL would ask the terminal for one.
            tls.load_cert_chain(configuration.cert_file, configuration.key_file, password="")
    except OSError as error:
        raise UsageError(
            f"the client-certificate of context {context!r} in the kubeconfig {where} cannot be used",
            details=(_said(error),),
            todo="It and its client-key must be PEM, belong together and need no password. Fetch the kubeconfig again.",
        ) from error


def _said(error: OSError) -> str:
    """`NO_CERTIFICATE_OR_CRL_FOUND`, or what is wrong with the file: an SSLError is an OSError, with its reason."""
    return getattr(error, "reason", None) or error.strerror or str(error)
