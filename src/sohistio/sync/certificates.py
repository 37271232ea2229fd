"""The certificates that gateways name: which Secrets, and how the two clusters' compare. Pure; no key comes here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.certificate import Certificate
from sohistio.model.gateway_secrets import certificate_refs, credentials, is_istios_gateway, places_of
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.sync import SyncRules
from sohistio.sync.differences import Difference, Subject

Object = Mapping[str, Any]

# How long before its end a certificate is worth a note: a month is enough for any renewal.
SOON_SECONDS = 30 * 24 * 3600
_BRING = (
    "Bring it by the way it came to {source} (cert-manager, External Secrets, Key Vault's CSI driver, your pipeline): "
    "sync never copies keys."
)


@dataclass(frozen=True, order=True, slots=True)
class NamedSecret:
    """A Secret that a Gateway of the source names, where each cluster's own gateway looks for it: `there` in the
    source, `ref` in the target.
    """

    ref: ObjectRef
    there: ObjectRef


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A Secret's certificate in both clusters. None where the Secret is not there.

    So it is also in the environments in which the Secret holds none that can be read (`empty`), and in those in which
    the user lacks permission to get it (`unread`).
    """

    secret: NamedSecret
    source: Certificate | None
    target: Certificate | None
    empty: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def named_secrets(
    objects: Mapping[ObjectRef, Object],
    source: Sequence[MeshDeployment],
    target: Sequence[MeshDeployment],
    rules: SyncRules,
) -> tuple[NamedSecret, ...]:
    """The Secrets of certificates that Gateways of both APIs name, sorted; without excluded ones.

    `source` and `target` are the clusters' gateways. A `credentialName` is looked for where the pods run that the
    Gateway selects (istio.io, "Gateway", ServerTLSSettings); where none has its labels, in istio-system. A
    `certificateRef` names its namespace, else it is its Gateway's.
    """
    found: set[NamedSecret] = set()
    for ref, obj in objects.items():
        if rules.excludes(ref):
            continue
        if is_istios_gateway(ref):
            selector = obj["spec"].get("selector") or {}
            places = (places_of(selector, source), places_of(selector, target))
            for name in credentials(obj["spec"]):
                found |= {
                    NamedSecret(_secret(place, name), _secret(_same(place, places[0]), name)) for place in places[1]
                }
        else:
            found |= {NamedSecret(secret, secret) for secret in certificate_refs(ref, obj)}
    return tuple(sorted(secret for secret in found if not rules.excludes(secret.ref)))


def certificate_differences(
    pairs: Iterable[CertificatePair], now: float, names: tuple[str, str]
) -> Iterator[Difference]:
    """What is missing, different, expired or soon to expire in the target. `now` is in seconds since 1970.

    Of a Secret that one cannot get, only that it was not compared.
    """
    source, target = names
    for pair in pairs:
        ref, bring = pair.secret.ref, _BRING.format(source=source)
        if pair.unread:
            yield from (_unread(pair.secret.there if name == source else ref, name) for name in pair.unread)
            continue
        if pair.target is None:
            also = "" if pair.source else f", nor one in {source}"
            what = (
                f"{ref} of {target} holds no certificate that can be read"
                if target in pair.empty
                else f"there is no {ref} in {target}"
            )
            what += also
            yield Difference(Subject.CERTIFICATE, str(ref), what, bring, counts=pair.source is not None)
            continue
        if pair.source is None:
            what = f"{ref} has a certificate in {target} only"
            todo = f"A gateway of {source} names it: see to it there first."
            yield Difference(Subject.CERTIFICATE, str(ref), what, todo)
        elif pair.source.fingerprint != pair.target.fingerprint:
            prints = f"{pair.source.fingerprint[:16]}… and {pair.target.fingerprint[:16]}…"
            what = f"{ref} holds another certificate in {target} than in {source} (SHA-256 {prints})"
            todo = f"{bring} If each region has certificates of its own, exclude kind Secret (sync.exclude)."
            yield Difference(Subject.CERTIFICATE, str(ref), what, todo)
        if (left := pair.target.expires - now) < SOON_SECONDS:
            verb = "expired" if left <= 0 else "expires"
            what = f"the certificate in {ref} of {target} {verb} on {pair.target.expires_on}"
            yield Difference(Subject.CERTIFICATE, str(ref), what, "Renew it.", counts=left <= 0)


def _unread(secret: ObjectRef, environment: str) -> Difference:
    """Of a Secret that the user lacks permission to get: worth knowing only."""
    return Difference(
        Subject.CERTIFICATE,
        str(secret),
        f"the certificate in {secret} of {environment} was not compared: you lack permission to get the Secret",
        "Bind Role sohistio-certificates of rbac/sync.yaml.",
        counts=False,
    )


def root_difference(source: str, target: str, names: tuple[str, str]) -> Iterator[Difference]:
    """Whether the two meshes trust the same root (SHA-256, empty where there is none).

    Worth knowing only: each istiod has a root of its own unless one is plugged in, and no sync can change it.
    """
    if source != target:
        yield Difference(
            Subject.TRUST_ROOT,
            "istio-ca-root-cert",
            f"the meshes have different trust roots (SHA-256 {_short(source)} in {names[0]}, {_short(target)} in "
            f"{names[1]})",
            "It matters to clients that trust the mesh's root themselves; for one root, plug in certificates of one CA "
            "(Secret istio-system/cacerts).",
            counts=False,
        )


def _short(fingerprint: str) -> str:
    return f"{fingerprint[:16]}…" if fingerprint else "(none)"


def _same(place: str, places: set[str]) -> str:
    """The source's place of a gateway that runs at this place in the target."""
    return place if place in places else min(places)


def _secret(place: str, name: str) -> ObjectRef:
    return ObjectRef("Secret", place, name)
