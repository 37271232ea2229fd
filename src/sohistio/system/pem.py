"""PEM that people hand over: what else is in it, and only what it is for taken out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_CERTIFICATE, _KEY = "CERTIFICATE", "PRIVATE KEY"
# Extensions that may be critical: what Go's crypto/x509 and BoringSSL both handle (RFC 5280, section 4.2).
_HANDLED = frozenset({"2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.32", "2.5.29.37"})


def certificates_in(pem: str) -> list[x509.Certificate]:
    """The certificates, in order; none where one cannot be read."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def foreign_in(pem: str, certificates: int) -> Iterator[str]:
    """What does not belong into a file of certificates, as predicates; `certificates` is how many could be read."""
    kinds = _BEGIN.findall(pem)
    if any(kind.endswith(_KEY) for kind in kinds):
        yield "holds a private key as well: what trusts is published to everybody"
    if (begun := kinds.count(_CERTIFICATE)) > certificates > 0:
        yield f"holds {begun} certificates, of which {begun - certificates} cannot be read"


def certificates_pem(pem: str) -> str:
    """The certificates alone, one after the other: no comment, no byte order mark, nothing else."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(found.public_bytes(Encoding.PEM).decode() for found in certificates_in(pem))


def keys_in(pem: str) -> list[str]:
    """The private keys, each as its own PEM text."""
    return [f"{found[0]}\n".replace("\r\n", "\n") for found in _BLOCK.finditer(pem) if found[1].endswith(_KEY)]


def hindrances(certificate: x509.Certificate) -> Iterator[str]:
    """What of a CA's certificate keeps workloads' certificates from being accepted, as predicates."""
    from cryptography import x509

    try:
        extensions = list(certificate.extensions)
    except ValueError:
        yield "has extensions that cannot be read"
        return
    for extension in extensions:
        oid = extension.oid.dotted_string
        if extension.critical and oid not in _HANDLED:
            yield f"has the critical extension {oid}, which proxies do not know: they refuse what it signs"
        if isinstance(extension.value, x509.NameConstraints):
            trees = (*(extension.value.permitted_subtrees or ()), *(extension.value.excluded_subtrees or ()))
            if any(isinstance(tree, x509.UniformResourceIdentifier | x509.DirectoryName) for tree in trees):
                yield "has name constraints on URIs or directory names: workloads' identities are URIs (spiffe://)"
