"""The certificates that a kubeconfig gives: tried before the first request, which could not tell whose they are."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sohistio.errors import UsageError


def check_certificates(configuration: Any, context: str | None, where: object) -> None:
    """The authority that the API server's certificate comes from, and the user's own certificate and key.

    Raises UsageError where TLS could not use them.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    of = f"of context {context!r} in the kubeconfig {where}"
    with _usable(
        f"the certificate-authority {of}", "It must be a certificate as PEM, within the kubeconfig as base64."
    ):
        if configuration.ssl_ca_cert:
            tls.load_verify_locations(configuration.ssl_ca_cert)
    with _usable(
        f"the client-certificate {of}", "It and its client-key must be PEM, belong together and need no password."
    ):
        if configuration.cert_file:
            # Without a password here OpenSSL would ask the terminal for one.
            tls.load_cert_chain(configuration.cert_file, configuration.key_file, password="")


@contextmanager
def _usable(what: str, must: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # an SSLError is one, with its reason: `NO_CERTIFICATE_OR_CRL_FOUND`
        said = getattr(error, "reason", None) or error.strerror or str(error)
        raise UsageError(
            f"{what} cannot be used", details=(said,), todo=f"{must} Fetch the kubeconfig again."
        ) from error
