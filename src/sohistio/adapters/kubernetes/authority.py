"""Adapter: the Secrets that istiod signs with, looked at without their keys, and written where there is none."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.authority import (
    AUTHORITY_SECRET,
    PLUGGED_IN,
    SELF_SIGNED,
    Authority,
    AuthorityCertificate,
    LiveAuthority,
)
from sohistio.model.pull_secrets import MANAGED_BY, SOHISTIO
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.system.authority import Issuer, Material, issuers_in
from sohistio.system.pem import certificates_pem, keys_in

_PUBLISHED = ObjectRef("ConfigMap", ISTIO_NAMESPACE, "istio-ca-root-cert")
# istiod takes a Secret of type kubernetes.io/tls as well (Istio's pki/ca, cert-manager's names).
_CERTIFICATE, _ROOT, _CHAIN = ("ca-cert.pem", "tls.crt"), ("root-cert.pem", "ca.crt"), ("cert-chain.pem",)


def read_authority(api: KubeApi) -> LiveAuthority:
    """What signs in this cluster. Raises KubeError; without permission to get the Secrets it has the root alone.

    The API server gives whole Secrets only: the key is neither parsed nor kept.
    """
    published = read_published_roots(api)
    for name in (PLUGGED_IN, SELF_SIGNED):
        try:
            secret = api.get(path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name)))
        except KubeError as error:
            if error.status != 403:
                raise
            return LiveAuthority("", Authority(roots=published), published, unread=True)
        if secret is not None:
            return LiveAuthority(name, _authority_of(secret), published, self_signed=_is_istiods_own(name, secret))
    return LiveAuthority("", Authority(roots=published), published)


def read_published_roots(api: KubeApi) -> tuple[AuthorityCertificate, ...]:
    """The roots that istiod publishes to every namespace; needs no right to read Secrets. Raises KubeError."""
    found = api.get(path_of(_PUBLISHED)) or {}
    return certificates_in(str((found.get("data") or {}).get("root-cert.pem", "")))


def write_authority(api: KubeApi, material: Material) -> None:
    """Create the Secret. Raises FailedError where there is one by now, and overwrites none; KubeError.

    An apply without force, as its rights can be given for this one name; those of a creation cannot.
    """
    if api.get(path_of(AUTHORITY_SECRET)) is not None:
        raise _came_meanwhile()
    try:
        api.apply(path_of(AUTHORITY_SECRET), _manifest(material), OWN_MANAGER)
    except KubeError as error:
        if error.status != 409:
            raise
        raise _came_meanwhile() from error


def declared_authority(material: Material) -> Authority:
    """The same of what an environment declares."""
    own = certificates_in(material.certificate.text)
    return Authority(own[0] if own else None, certificates_in(material.chain.text), certificates_in(material.root.text))


def certificates_in(pem: str) -> tuple[AuthorityCertificate, ...]:
    """The certificates of a PEM text, in order; none where it holds none that can be read."""
    return tuple(map(_plain, issuers_in(pem)))


def _plain(found: Issuer) -> AuthorityCertificate:
    on = found.ends.date().isoformat()
    return AuthorityCertificate(found.subject, found.issuer, found.fingerprint, found.ends.timestamp(), on)


def _authority_of(secret: Mapping[str, Any]) -> Authority:
    own, roots, chain = (certificates_in(_text(secret, keys)) for keys in (_CERTIFICATE, _ROOT, _CHAIN))
    # Of istiod's own Secret the certificate is the root.
    return Authority(own[0] if own else None, chain, roots or own[-1:])


def _is_istiods_own(name: str, secret: Mapping[str, Any]) -> bool:
    """istiod may keep a root of its own under the other name too (USE_CACERTS_FOR_SELF_SIGNED_CA), with a mark."""
    return name == SELF_SIGNED or "istio-generated" in (secret.get("data") or {})


def _text(secret: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    data = secret.get("data") or {}
    encoded = next((data[key] for key in keys if data.get(key)), "")
    try:
        return base64.b64decode(encoded).decode()
    except ValueError:
        return ""


def _manifest(material: Material) -> dict[str, Any]:
    if material.key is None:
        raise AssertionError("a CA is written with its key")
    # Of each part what it is for: istiod publishes the roots as they stand.
    parts = {
        "ca-cert.pem": certificates_pem(material.certificate.text),
        "ca-key.pem": "".join(keys_in(material.key.text)),
        "root-cert.pem": certificates_pem(material.root.text),
        "cert-chain.pem": certificates_pem(material.chain.text),
    }
    ref = AUTHORITY_SECRET
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": {MANAGED_BY: SOHISTIO}},
        "type": "Opaque",
        "data": {name: base64.b64encode(part.encode()).decode() for name, part in parts.items()},
    }


def _came_meanwhile() -> FailedError:
    return FailedError(
        f"{AUTHORITY_SECRET} came into being just now: it is not overwritten",
        todo="Find out who plugged it in. If it is the CA of policy.authority, run it again; else decide for one.",
    )
