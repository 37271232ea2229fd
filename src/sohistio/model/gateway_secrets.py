"""The Secrets of certificates that Gateways of both APIs name, and where their gateways look for them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.model.state import ISTIO_NAMESPACE, MeshDeployment, ObjectRef

Object = Mapping[str, Any]

_API_GATEWAYS = ("Gateway", "ListenerSet", "XListenerSet")


def is_istios_gateway(ref: ObjectRef) -> bool:
    """Whether it is a Gateway of Istio's API: the Gateway API's have their group in the kind."""
    return ref.kind == "Gateway"


def secrets_named(objects: Mapping[ObjectRef, Object], gateways: Sequence[MeshDeployment]) -> tuple[ObjectRef, ...]:
    """All Secrets that a cluster's Gateways name, sorted; `gateways` are the mesh's Deployments there."""
    found: set[ObjectRef] = set()
    for ref, obj in objects.items():
        if is_istios_gateway(ref):
            places = places_of(obj["spec"].get("selector") or {}, gateways)
            found |= {ObjectRef("Secret", place, name) for name in credentials(obj["spec"]) for place in places}
        else:
            found |= set(certificate_refs(ref, obj))
    return tuple(sorted(found))


def places_of(selector: Mapping[str, str], gateways: Sequence[MeshDeployment]) -> set[str]:
    """Where the pods run that a Gateway selects (istio.io, "Gateway", ServerTLSSettings); istio-system where none has
    its labels.
    """
    found = {
        item.ref.namespace
        for item in gateways
        if item.component == "gateway" and selector.items() <= item.pod_labels.items()
    }
    return found or {ISTIO_NAMESPACE}


def credentials(spec: Object) -> Iterator[str]:
    """The names that a Gateway of Istio's has as `credentialName`."""
    for server in spec.get("servers") or ():
        tls = server.get("tls") or {}
        for name in (tls.get("credentialName"), *(tls.get("credentialNames") or ())):
            # Other schemes (`kubernetes-gateway://`, `sds://`, a file) name no Secret of that namespace.
            if name and "://" not in name:
                yield name


def certificate_refs(gateway: ObjectRef, obj: Object) -> Iterator[ObjectRef]:
    """The Secrets that listeners of a Gateway API's object name, their own namespace where none is given."""
    if gateway.kind.partition(".")[0] not in _API_GATEWAYS:
        return
    for listener in obj["spec"].get("listeners") or ():
        for ref in (listener.get("tls") or {}).get("certificateRefs") or ():
            if ref.get("group", "") == "" and ref.get("kind", "Secret") == "Secret":
                yield ObjectRef("Secret", ref.get("namespace") or gateway.namespace, ref["name"])
