"""The TLS Secrets that Gateways name, on both sides: by fingerprint only, never copied."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.failover.readiness import credential_names
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.model.sync import Object
from sohistio.system.certificates import days_left


@dataclass(frozen=True, slots=True)
class SecretDifference:
    """One Secret. It `counts` as a difference where the standby lacks it; another certificate may be meant."""

    words: str
    counts: bool


def secret_differences(source: KubeApi, target: KubeApi, objects: Sequence[Object]) -> tuple[SecretDifference, ...]:
    """Those of the source's Gateways, in the gateways' namespace. Raises KubeError."""
    gateways = [item for item in objects if item["kind"] == "Gateway" and "istio.io" in item["apiVersion"]]
    found = []
    for name in credential_names(gateways, ISTIO_NAMESPACE):
        path = path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name))
        before, now = (_certificate(api.get(path)) for api in (source, target))
        if not now:
            words = f"Secret {ISTIO_NAMESPACE}/{name}, which a Gateway names, is missing on the standby: bring it there"
            found.append(SecretDifference(words, counts=True))
        elif before != now:
            words = f"Secret {ISTIO_NAMESPACE}/{name} has another certificate: {_print(before)} → {_print(now)}"
            found.append(SecretDifference(words, counts=False))
    return tuple(found)


def _certificate(secret: Object | None) -> str:
    found = ((secret or {}).get("data") or {}).get("tls.crt", "")
    return base64.b64decode(found).decode(errors="replace") if found else ""


def _print(certificate: str) -> str:
    """The first digits of its SHA-256, and how long it lasts; the key is never read."""
    if not certificate:
        return "none"
    days = days_left(certificate)
    lasts = "" if days is None else f" ({days:.0f} days left)"
    return f"{hashlib.sha256(certificate.encode()).hexdigest()[:12]}{lasts}"
